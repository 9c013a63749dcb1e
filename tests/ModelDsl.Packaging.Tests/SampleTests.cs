using ModelDsl.Testing;

namespace ModelDsl.Packaging.Tests;

/// <summary><c>samples/user-project</c>, which uses the packages as anybody would.</summary>
[Collection(nameof(Stranger))]
public class SampleTests(Stranger stranger)
{
    [Fact]
    public void Published_trimmed_it_writes_what_PyTorch_writes()
    {
        var workshop = stranger.Workshop;
        workshop.Copy(Repository.PathTo("samples", "tiny-v3"), "samples", "tiny-v3");
        var sample = workshop.Copy(Repository.PathTo("samples", "user-project"), "samples", "user-project");
        var published = workshop.PathTo("published");
        // Frameworks that no package asks for would be fetched in case one did.
        workshop.Expect(
            0, sample, "dotnet", "publish", "-warnaserror", "--runtime", BuildFacts.Runtime, "--output", published,
            "-p:PublishTrimmed=true", "-p:TrimmerSingleWarn=false", "-p:EnableAotAnalyzer=true", "-p:DisableTransitiveFrameworkReferenceDownloads=true");

        var (prompt, text) = Stranger.Golden("king");
        Assert.Equal(text, workshop.Expect(
            0, workshop.Root, Path.Combine(published, "user-project"), workshop.PathTo("samples", "tiny-v3", "checkpoint"), prompt));
    }
}
