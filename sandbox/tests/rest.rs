//! REST as a bot without a library uses it: refusals, limits, permissions, rate limits, tokens and their times.
//! Every answer, refusals too, is held against Discord's OpenAPI description.
