from django.apps import AppConfig


class InterchangeConfig(AppConfig):
    name = "config.interchange"
    label = "interchange"
