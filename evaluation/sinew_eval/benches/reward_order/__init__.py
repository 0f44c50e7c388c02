"""`sinew bench reward-order`: do rewards rank scripted behaviours as they should be ranked?"""
