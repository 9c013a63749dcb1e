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
        var input = File.ReadAllBytes(Path.Combine(Folder(name), file));
        string? way = null;
        var allocated = 0L;
        Exception? failure = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    var before = GC.GetAllocatedBytesForCurrentThread();
                    way = kind.Check(input);
                    allocated = GC.GetAllocatedBytesForCurrentThread() - before;
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
        Assert.InRange(allocated, 1, kind.MostAllocated(input.Length));
    }

    private static string Folder(string kind) => Repository.PathTo("tests", "ModelDsl.Fuzz.Tests", "Regressions", kind);
}
