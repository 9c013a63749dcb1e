namespace ModelDsl.Ptx;

/// <summary>A kernel was written that PTX or its target cannot express: a mistake in the compiler, never in a user's text.</summary>
public sealed class PtxException(string message) : Exception(message);
