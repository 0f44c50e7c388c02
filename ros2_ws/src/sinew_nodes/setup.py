from setuptools import setup

PACKAGE = "sinew_nodes"

setup(
    name=PACKAGE,
    version="0.1.0",
    description="The ROS 2 nodes of Sinew",
    license="Apache-2.0",
    packages=[PACKAGE],
    package_data={PACKAGE: ["py.typed", "fastdds.xml"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
    ],
    python_requires=">=3.11",
    zip_safe=False,
    entry_points={
        "console_scripts": [
            f"{node} = {PACKAGE}.{node}:main"
            for node in (
                "station_node",
                "perception_node",
                "affordance_node",
                "reward_node",
                "policy_node",
                "actor_node",
                "learner_node",
                "recorder_node",
                "teleop_node",
                "view_node",
                "lifecycle_manager",
                "bench_floor",
            )
        ],
        "sinew.commands": [
            f"launch = {PACKAGE}.launch_command:main",
            f"teleop = {PACKAGE}.teleop_command:main",
        ],
        "sinew.graphs": [f"ros = {PACKAGE}.ros_graph:RosGraph"],
        "sinew.benches": [
            f"actor-learner = {PACKAGE}.bench_actor_learner:main",
            f"authority = {PACKAGE}.bench_authority:main",
            f"faults = {PACKAGE}.bench_faults:main",
            f"loop = {PACKAGE}.bench_loop:main",
            f"parity = {PACKAGE}.bench_parity:main",
            f"record = {PACKAGE}.bench_record:main",
        ],
    },
)
