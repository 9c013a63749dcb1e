using System.Text.Json;
using System.Text.RegularExpressions;
using ModelDsl.Testing;

namespace ModelDsl.Packaging.Tests;

/// <summary>Somebody who has the packages and nothing else, and a project that the template made, built once.</summary>
public sealed class Stranger : IDisposable
{
    // The name of the class too: the hardest that a person is likely to give.
    private const string Name = "TinyV3";

    public Stranger()
    {
        Workshop = Workshop.Open();
        App = Workshop.PathTo(Name);
        try
        {
            string[] hive = ["--debug:custom-hive", Workshop.PathTo("hive")];
            Workshop.Expect(0, Workshop.Root, "dotnet", ["new", "install", "ModelDsl.Templates", "--add-source", Workshop.Feed, .. hive]);
            Workshop.Expect(0, Workshop.Root, "dotnet", ["new", "modeldsl", "--name", Name, .. hive]);
            Workshop.Expect(0, App, "dotnet", "build", "--no-restore", "-warnaserror");
        }
        catch
        {
            Workshop.Dispose();
            throw;
        }
    }

    public Workshop Workshop { get; }

    /// <summary>The folder of the project.</summary>
    public string App { get; }

    /// <summary>A prompt with what PyTorch writes behind it in 64 tokens, line by line as a program prints it.</summary>
    public static (string Prompt, string Text) Golden(string name)
    {
        using var expected = JsonDocument.Parse(File.ReadAllText(Repository.PathTo("samples", "tiny-v3", "expected", name + ".json")));
        string Value(string key) => expected.RootElement.GetProperty(key).GetString()!;
        return (Value("prompt"), Value("prompt") + Value("text") + "\n");
    }

    /// <summary>The different errors of a build, without the folder and the project they name.</summary>
    public static string[] Errors(string output, string folder) =>
    [
        .. Regex.Matches(output, @"^.*\berror\b.*?(?= \[|$)", RegexOptions.Multiline)
            .Select(match => match.Value.Trim().Replace(folder + Path.DirectorySeparatorChar, "")).Distinct(),
    ];

    public void Dispose() => Workshop.Dispose();
}

/// <summary>The tests that share one stranger.</summary>
[CollectionDefinition(nameof(Stranger))]
public sealed class StrangerCollection : ICollectionFixture<Stranger>;
