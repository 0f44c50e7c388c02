# `make demo` and `make test` do the whole set-up first; the second time that takes no time.

PYTHON ?= python3.11
VENV := .venv/bin
PY := $(VENV)/python

# Left by a sourced ROS or by another environment's Python, each would mislead this one.
unexport AMENT_PREFIX_PATH LD_LIBRARY_PATH PYTHONHOME PYTHONPATH _ROS_WHEELS_BOOTSTRAP_COMPLETE

.PHONY: help setup demo demo-learned test check bench clean

help:  ## say what can be made
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 14

setup:  ## install everything that is missing (PYTHON=... chooses another Python 3.11)
	@"$(PYTHON)" -c '' 2>/dev/null || { \
	  echo "Sinew needs Python 3.11, and '$(PYTHON)' does not run. Install python3.11, or: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@"$(PYTHON)" scripts/set_up

demo: setup  ## a simulated arm carries out a sentence through the ROS graph (ARGS=... adds options)
	@$(VENV)/sinew run --graph ros --hardware sim_mujoco --task pick_place \
	  --instruction "drop the crimson block into the azure dish" --affordance sinew_ground \
	  --policy affordance_follower --reward affordance_path --episodes 3 $(ARGS)

demo-learned: setup  ## the same by a policy that was trained, not written (ARGS=... adds options)
	@$(VENV)/sinew run --graph ros --hardware sim_mujoco --task pick_place \
	  --policy learned --reward affordance_way --episodes 3 $(ARGS)

test: setup  ## run the tests (ARGS=... goes to pytest)
	@$(PY) -m pytest $(ARGS)

check: setup  ## formatting, lint and types
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@MYPYPATH=scripts/set_up:ros2_ws/src/sinew_msgs/_pip_backend \
	  $(PY) -m mypy scripts/set_up ros2_ws/src/sinew_msgs/_pip_backend

bench: setup  ## measure the figures of the README (ARGS=... goes to each bench)
	@for bench in sim loop keypoints parity success authority faults barrier record durability; do $(VENV)/sinew bench $$bench $(ARGS) || exit; done

clean:  ## remove caches and build outputs; the environment stays (rm -rf .venv removes it)
	@rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@rm -rf ros2_ws/build ros2_ws/install ros2_ws/log
	@find . -path ./.venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
