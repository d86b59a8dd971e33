"""The words for errors, failures, states and options. All of them can be translated."""
