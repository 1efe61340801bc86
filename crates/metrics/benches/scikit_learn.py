"""CPU seconds of scores of representations with NumPy and scikit-learn, as JSON.

Usage: scikit_learn.py FOLDER NAMES, where FOLDER holds z_train, y_train, z_test and y_test as .npy
and NAMES is a list with commas. Scores that take minutes run with DOMINO_BENCH_FULL=1 only.
"""

import json
import os
import sys
import time
import warnings

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[threads] = "1"

import numpy as np
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.linear_model import Lasso, LogisticRegression, LogisticRegressionCV
from sklearn.metrics import mutual_info_score, roc_auc_score
from sklearn.model_selection import KFold
from sklearn.svm import LinearSVC

warnings.filterwarnings("ignore")
folder, names = sys.argv[1], sys.argv[2].split(",")
z, y, z_test, y_test = (
    np.ascontiguousarray(np.load(f"{folder}/{name}.npy"))
    for name in ("z_train", "y_train", "z_test", "y_test")
)
labels, labels_test = y.astype(int), y_test.astype(int)
factors = range(y.shape[1])
standard, standard_test = (z - z.mean(0)) / z.std(0), (z_test - z.mean(0)) / z.std(0)


def binned(column):
    return np.digitize(column, np.histogram(column, 20)[1][:-1])


def information():
    bins = [binned(column) for column in z.T]
    return np.array([[mutual_info_score(b, labels[:, j]) for j in factors] for b in bins])


def mig():
    top = np.sort(information(), axis=0)
    entropy = [mutual_info_score(labels[:, j], labels[:, j]) for j in factors]
    return np.mean((top[-1] - top[-2]) / entropy)


def unsupervised():
    bins = [binned(column) for column in z.T]
    pairs = [(a, b) for a in range(len(bins)) for b in range(len(bins)) if a != b]
    np.linalg.slogdet(np.cov(z.T))
    return np.mean([mutual_info_score(bins[a], bins[b]) for a, b in pairs])


def irs():
    deviation = np.zeros((z.shape[1], y.shape[1]))
    for j in factors:
        groups = [z[labels[:, j] == v] for v in np.unique(labels[:, j])]
        tails = [np.percentile(abs(g - g.mean(0)), 99, axis=0) for g in groups]
        deviation[:, j] = np.mean(tails, axis=0)
    largest = abs(z - z.mean(0)).max(0)
    return np.average((1 - deviation / largest[:, None]).max(1), weights=largest)


def sap_discrete():
    for i in range(z.shape[1]):
        for j in factors:
            machine = LinearSVC(C=0.01, class_weight="balanced")
            machine.fit(z[:, [i]], labels[:, j]).predict(z_test[:, [i]])


def explicitness():
    for j in factors:
        fit = LogisticRegression().fit(standard, labels[:, j])
        for x, truth in ((standard, labels[:, j]), (standard_test, labels_test[:, j])):
            roc_auc_score(np.eye(truth.max() + 1)[truth], fit.predict_proba(x))


def per_factor(make, target=labels):
    def fit():
        for j in factors:
            make().fit(z, target[:, j]).predict(z_test)

    return fit


SCORES = {
    "mig_20bins": mig,
    "modularity_20bins": information,
    "irs": irs,
    "unsupervised": unsupervised,
    "sap_continuous": lambda: np.corrcoef(z.T, y.T) ** 2,
    "sap_discrete_linearsvc": sap_discrete,
    "explicitness": explicitness,
    "mcc_pearson": lambda: np.corrcoef(z.T, y.T),
    "dci_lasso_0.02": lambda: [Lasso(alpha=0.02).fit(standard, y[:, j]) for j in factors],
    "dci_rf10_depth10": per_factor(lambda: RandomForestRegressor(10, max_depth=10), y),
    "downstream_logreg_cv_10000": per_factor(lambda: LogisticRegressionCV(Cs=10, cv=KFold(5))),
}
LONG = {
    "dci_ilcm_gbt_regressor": per_factor(GradientBoostingRegressor, y),
    "dci_gbt_classifier_one_factor_3_classes": lambda: GradientBoostingClassifier().fit(
        z, labels[:, 0]
    ),
    "dci_gbt_classifier_all_5_factors_26_classes": per_factor(GradientBoostingClassifier),
}
if os.environ.get("DOMINO_BENCH_FULL") == "1":
    SCORES |= LONG

seconds = {}
for name, score in SCORES.items():
    if name in names:
        start = time.process_time()
        score()
        seconds[name] = time.process_time() - start
json.dump(seconds, sys.stdout)
