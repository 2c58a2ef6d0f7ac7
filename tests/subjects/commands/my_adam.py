"""Adam behind JSON lines; the argument says how it behaves. It uses the standard library alone."""

import json
import math
import os
import subprocess
import sys
import time


def number(value):
    return float(value)


def told(value):
    if math.isnan(value):
        return "nan"
    return value if math.isfinite(value) else "inf" if value > 0 else "-inf"


def adam(question):
    knobs = {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0, **question["knobs"]}
    m = v = 0.0
    x = number(question["start"])
    parameters = []
    for t, g in enumerate(map(number, question["gradients"]), 1):
        m = knobs["beta1"] * m + (1 - knobs["beta1"]) * g
        v = knobs["beta2"] * v + (1 - knobs["beta2"]) * g * g
        ratio = m / (1 - knobs["beta1"] ** t) / (math.sqrt(v / (1 - knobs["beta2"] ** t)) + knobs["eps"])
        x -= knobs["lr"] * (ratio + knobs["weight_decay"] * x)
        parameters.append(told(x))
    return {"parameters": parameters}


def lists(question):
    return {"parameters": [[[-g for g in step] for step in tensor] for tensor in question["gradients"]]}


ANSWERS = {
    "big integer": lambda question: '{"parameters": [' + "9" * 400 + "]}",
    "deep": lambda question: '{"parameters": ' + "[" * 900 + "]" * 900 + "}",
    "deeper": lambda question: "[" * 200_000,
    "coloured": lambda question: json.dumps({"error": "\033[31mred\033[2J"}),
    "twice": lambda question: "{}\n{}".format(*[json.dumps(adam(question))] * 2),
    "garbage": lambda question: "the 1st step",
    "no object": lambda question: "[1, 2]",
    "words": lambda question: '{"parameters": ["one", "two"]}',
    "nothing": lambda question: '{"parameters": null}',
    "short": lambda question: '{"parameters": [1.0]}',
    "error": lambda question: '{"error": "no gradients today"}',
    "lists": lambda question: json.dumps(lists(question)),
}


def main(mode):
    if mode == "whole input":
        print(json.dumps(adam(json.load(sys.stdin))))
        return
    for line in sys.stdin:
        question = json.loads(line)
        if mode == "hang":
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
            print(child.pid, file=sys.stderr, flush=True)
            time.sleep(60)
        if mode == "flood":
            while True:
                sys.stdout.write("1," * 500_000)
        if mode == "blank":
            while True:
                sys.stdout.write("\n" * 500_000)
        if mode == "leave":
            subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 60"], start_new_session=True)
        if mode == "interrupt":
            os.kill(os.getppid(), 2)
        if mode == "die":
            print("out of ideas", file=sys.stderr, flush=True)
            sys.exit(3)
        if mode == "killed":
            os.kill(os.getpid(), 9)
        if mode == "late" and len(question["gradients"]) > 20:
            raise ValueError("too many steps")
        answer = ANSWERS[mode](question) if mode in ANSWERS else json.dumps(adam(question))
        print(answer, flush=True)
        if mode == "once":
            return


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]))
