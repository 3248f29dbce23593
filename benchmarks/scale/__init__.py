"""What a deployment of any size asks of its servers: a model, its costs by measurement, a check."""
