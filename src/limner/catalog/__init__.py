"""What can be made: models as data, their options, sizes and prices."""
