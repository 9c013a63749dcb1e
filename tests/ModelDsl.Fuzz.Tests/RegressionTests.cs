using ModelDsl.Testing;

namespace ModelDsl.Fuzz.Tests;

/// <summary>Inputs that once broke the contract: a file each under <c>Regressions/KIND</c>, named for what was wrong.</summary>
public class RegressionTests
{
    public static TheoryData<string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (var name in FuzzKind.Names)
                if (Directory.Exists(Folder(name)))
                    foreach (var file in Directory.GetFiles(Folder(name)).Order(StringComparer.Ordinal)) cases.Add(name, Path.GetFileName(file));
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Stays_mended(string name, string file)
    {
        using var kind = FuzzKind.Create(name);
        string? way = null;
        Exception? failure = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    way = kind.Check(File.ReadAllBytes(Path.Combine(Folder(name), file)));
                }
                catch (Exception e)
                {
                    failure = e;
                }
            },
            Campaign.StackBytes);
        thread.Start();
        Assert.True(thread.Join(TimeSpan.FromSeconds(60)), "it hangs");
        Assert.Null(failure);
        Assert.NotNull(way);
    }

    private static string Folder(string kind) => Repository.PathTo("tests", "ModelDsl.Fuzz.Tests", "Regressions", kind);
}
