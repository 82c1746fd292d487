"""The report: one HTML file for people, and its pictures as PNGs."""

from husky_placerec.evaluation.report.of_evaluation import evaluation_report
from husky_placerec.evaluation.report.of_replay import replay_report

__all__ = ['evaluation_report', 'replay_report']
