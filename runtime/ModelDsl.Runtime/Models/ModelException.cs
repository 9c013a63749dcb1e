namespace ModelDsl.Runtime.Models;

/// <summary>A model was asked for what it cannot do; the message says what would be right.</summary>
public sealed class ModelException(string message) : Exception(message);
