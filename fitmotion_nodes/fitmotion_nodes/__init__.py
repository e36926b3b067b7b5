"""FitMotion's ROS 2 nodes: thin, one file a node; what they compute is in `fitmotion_models`."""
