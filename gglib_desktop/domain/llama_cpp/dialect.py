"""llama.cpp's words for what the program asks of any engine."""

from __future__ import annotations

from gglib_desktop.domain.llama_cpp.argv import KEY_VARIABLE, missing_options, objections, server_argv, with_adapters
from gglib_desktop.domain.llama_cpp.companions import companion_arguments
from gglib_desktop.domain.llama_cpp.diagnosis import offending_flag
from gglib_desktop.domain.llama_cpp.flag_drift import unlisted_flags, without_option
from gglib_desktop.domain.llama_cpp.log_levels import level_of
from gglib_desktop.domain.llama_cpp.serving import serving_of, settles_template


class LlamaCppDialect:
    """Implements ``Dialect``; the functions are in the modules of their subjects."""

    key_variable = KEY_VARIABLE
    command = staticmethod(server_argv)
    objections = staticmethod(objections)
    missing_options = staticmethod(missing_options)
    serving = staticmethod(serving_of)
    settles_template = staticmethod(settles_template)
    unlisted_flags = staticmethod(unlisted_flags)
    without_option = staticmethod(without_option)
    companion_arguments = staticmethod(companion_arguments)
    with_adapters = staticmethod(with_adapters)
    offending_flag = staticmethod(offending_flag)
    level_of = staticmethod(level_of)
