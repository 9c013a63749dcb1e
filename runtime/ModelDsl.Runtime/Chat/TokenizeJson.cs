using System.Text.Json.Serialization;

namespace ModelDsl.Runtime.Chat;

/// <summary>What goes through JSON line by line; written out by the compiler, so that trimmed programs have it too.</summary>
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(int[]))]
internal sealed partial class TokenizeJson : JsonSerializerContext;
