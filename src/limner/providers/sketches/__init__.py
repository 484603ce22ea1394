"""The drawing hand behind `limner:sketch`: words become a plan, the plan becomes a picture (Pillow only, no model)."""
