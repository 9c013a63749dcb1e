using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Compiler.Scheduling;
using ModelDsl.Runtime.Files;

namespace ModelDsl.Cli.Output;

/// <summary>A kernel as text.</summary>
internal sealed record EmittedKernel(Kernel Kernel, string Ptx)
{
    public string File => $"ptx/{Kernel.Name}.ptx";
}

/// <summary><c>manifest.json</c>: every kernel with what it is specialised for, how it is launched, who asked for it, and its hash.</summary>
internal static class Manifest
{
    private const long LargestManifest = 16 << 20;

    /// <summary>The kernel files that an earlier build left beside its manifest; none where there is no manifest of ours.</summary>
    public static IReadOnlyList<string> KernelFiles(string path)
    {
        try
        {
            using var json = JsonDocument.Parse(WholeFile.Read(path, LargestManifest));
            return [.. json.RootElement.GetProperty("kernels").EnumerateArray().Select(kernel => $"ptx/{kernel.GetProperty("name").GetString()}.ptx").Where(IsKernelFile)];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Somebody may have written the manifest; what it says is not followed out of the folder.</summary>
    private static bool IsKernelFile(string file) => file["ptx/".Length..^".ptx".Length] is var name && name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    public static string Write(ModelPlan plan, IReadOnlyList<EmittedKernel> kernels, Func<Compiler.Diagnostics.Origin, string?> place)
    {
        var firstUse = plan.Phases.SelectMany(phase => phase.Steps).GroupBy(step => step.Kernel.Name).ToDictionary(uses => uses.Key, uses => uses.First());
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteString("model", plan.Model.Name);
            json.WriteString("precision", plan.Precision.Name);
            json.WriteString("target", plan.Target.ToString());
            json.WriteStartArray("kernels");
            foreach (var (kernel, emitted) in kernels.Select(k => (k.Kernel, k)))
            {
                json.WriteStartObject();
                json.WriteString("name", kernel.Name);
                json.WriteString("file", emitted.File);
                json.WriteString("shape", kernel.ToString().Split('{', '}')[1].Trim());
                json.WriteString("grid", $"{kernel.Geometry.GridX} x {kernel.Geometry.GridY} x {kernel.Geometry.GridZ}");
                json.WriteNumber("threads", kernel.Geometry.Threads);
                json.WriteNumber("dynamic_shared_bytes", kernel.Geometry.SharedBytes);
                json.WriteNumber("launches", plan.Phases.Sum(phase => phase.Steps.Count(step => step.Kernel.Name == kernel.Name)));
                json.WriteString("computes", firstUse[kernel.Name].Comment);
                if (place(firstUse[kernel.Name].Origin) is { } source) json.WriteString("source", source);
                json.WriteString("sha256", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(emitted.Ptx))));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }
}
