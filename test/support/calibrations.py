"""Calibrations and models made by hand, whose numbers a test can choose."""

from __future__ import annotations

from husky_placerec.recognition.calibration import Calibration
from husky_placerec.recognition.covariance import CovarianceTable
from husky_placerec.recognition.evidence import ALL_EVIDENCE, COLUMNS, EVIDENCE, LOCAL_EVIDENCE
from husky_placerec.recognition.evidence_model import EvidenceModel
from husky_placerec.recognition.logistic import Logistic
import numpy as np
from support.builders import spec

STRENGTH = 20.0  # weight of the only evidence that counts in a `model`


def logistic(names, bias=0.0, prior=0.0, **weights):
    """Make a logistic model of evidence with mean 0 and scale 1."""
    zeros = np.zeros(len(names))
    row = np.array([weights.get(name, 0.0) for name in names])
    return Logistic(names, zeros, zeros + 1, row, bias, prior)


def model(bias=0.0, prior=0.0, local=None, **weights):
    """
    Make a model of evidence with mean 0 and scale 1; by default only the lead counts.

    :param local: bias, prior and weights of the model of compared places; None: there is none.
    """
    plain = logistic(EVIDENCE, bias, prior, **(weights or {'lead': STRENGTH}))
    compared = None if local is None else logistic(ALL_EVIDENCE, **local)
    return EvidenceModel(plain, compared)


def evidence_with(**values):
    """
    Return [F] evidence, 0 where nothing is given.

    It is not compared locally unless that is given, and has no supplements that are not given.
    """
    unknown = 0.0 if values.keys() & set(LOCAL_EVIDENCE) else np.nan
    plain = [values.get(name, 0.0) for name in EVIDENCE]
    locally = [values.get(name, unknown) for name in LOCAL_EVIDENCE]
    others = [values.get(name, np.nan) for name in COLUMNS[len(ALL_EVIDENCE) :]]
    return np.array([*plain, *locally, *others])


def evidence_of(log_ratio):
    """Return [F] evidence to which the default `model` gives a log likelihood ratio."""
    return evidence_with(lead=np.arctanh(log_ratio / STRENGTH))


def table(along=4.0, across=1.0):
    """Make a table of one row of variances, m^2."""
    return CovarianceTable(np.zeros(1), np.array([[along, across, 0.25, 0.01, 0.02, 0.03]]))


def calibration(**changes):
    """Make a calibration of the descriptor of `builders.spec`."""
    values = {
        'kind': 'own',
        'descriptor': spec().as_json(),
        'whitened': False,
        'centred': False,
        'local': False,
        'sources': ('second',),
        'created': '2024-05-06T07:08:09+00:00',
        'gate': model(),
        'partial': model(),
        'place': model(),
        'found': 0.8,
        'proof': 0.0,
        'guessed_proof': 0.0,
        'grade': 'proven',
        'weakness': '',
        'single_errors': table(),
        'sequence_errors': table(),
        'guessed_errors': table(),
        'reversed_errors': table(),
        'reversed_sequence_errors': table(),
        'figures': {},
    }
    return Calibration(**{**values, **changes})
