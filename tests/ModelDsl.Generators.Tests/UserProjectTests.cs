using System.Reflection;
using System.Text.Json;
using ModelDsl.Testing;

namespace ModelDsl.Generators.Tests;

/// <summary>The sample project, built with the generator inside the C# compiler, on the GPU in software.</summary>
public class UserProjectTests
{
    [Fact]
    public void It_writes_what_PyTorch_writes()
    {
        var sample = Repository.PathTo("samples", "tiny-v3");
        using var expected = JsonDocument.Parse(File.ReadAllText(Path.Combine(sample, "expected", "king.json")));
        string Expected(string name) => expected.RootElement.GetProperty(name).GetString()!;

        var before = Console.Out;
        using var written = new StringWriter();
        Console.SetOut(written);
        try
        {
            var main = Assembly.Load("user-project").EntryPoint!;
            Assert.Equal(0, main.Invoke(null, [new[] { Path.Combine(sample, "checkpoint"), Expected("prompt") }]));
        }
        finally
        {
            Console.SetOut(before);
        }
        Assert.Equal(Expected("prompt") + Expected("text") + Environment.NewLine, written.ToString());
    }
}
