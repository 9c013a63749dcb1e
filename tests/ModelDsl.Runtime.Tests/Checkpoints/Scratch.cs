namespace ModelDsl.Runtime.Tests.Checkpoints;

/// <summary>A folder that goes away with the test.</summary>
internal sealed class Scratch : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("dsm").FullName;

    public string this[string name] => Path.Combine(Folder, name);

    /// <summary>Writes a safetensors file from its header's text and its data.</summary>
    public string Safetensors(string name, string header, int dataBytes)
    {
        var json = System.Text.Encoding.UTF8.GetBytes(header);
        File.WriteAllBytes(this[name], [.. BitConverter.GetBytes((long)json.Length), .. json, .. new byte[dataBytes]]);
        return this[name];
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
