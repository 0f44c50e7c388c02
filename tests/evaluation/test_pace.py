import pytest
from sinew_core.errors import ConfigError
from sinew_eval.process_graph import ProcessGraph
from sinew_eval.records import RunConfig


def test_the_process_graph_refuses_real_time_and_names_the_graph_that_has_it():
    config = RunConfig("sim_mujoco", "pick_place", "hold", "goal_distance", pace="realtime")
    with pytest.raises(ConfigError, match="--graph ros"):
        ProcessGraph(config)
