namespace ModelDsl.Runtime.Tokenization.Patterns;

/// <summary>A regular expression is malformed, uses something unsupported, or took too long; callers add the file and place.</summary>
internal sealed class PatternException(string message) : Exception(message);
