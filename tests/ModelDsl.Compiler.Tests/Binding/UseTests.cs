using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Tests.Binding;

public class UseTests
{
    [Fact]
    public void DeclarationsOfOtherFiles()
    {
        var program = Bind(("root.dsm", "use \"base.dsm\"\nmodel B from Micro { hidden = wide }"),
            ("base.dsm", "param wide = 64\n" + Program.Micro));
        Assert.Empty(program.Diagnostics);
        Assert.Equal([("Micro", 128), ("B", 64)], program.Models.Select(m => (m.Name, m.Hidden)));
        Assert.Equal(["root.dsm", "base.dsm"], program.Sources.Select(s => s.Path));
    }

    [Fact]
    public void AFileIsReadOnce()
    {
        var program = Bind(("root.dsm", "use \"a.dsm\"\nuse \"b.dsm\""), ("a.dsm", "use \"c.dsm\""), ("b.dsm", "use \"c.dsm\""),
            ("c.dsm", Program.Micro));
        Assert.Empty(program.Diagnostics);
        Assert.Single(program.Models);
    }

    [Fact]
    public void Circle()
    {
        var program = Bind(("root.dsm", "use \"a.dsm\""), ("a.dsm", "use \"b.dsm\""), ("b.dsm", "use \"a.dsm\"\nuse \"root.dsm\""));
        Assert.Equal(
            [
                "files use one another in a circle: a.dsm → b.dsm → a.dsm",
                "files use one another in a circle: root.dsm → a.dsm → b.dsm → root.dsm",
            ],
            program.Diagnostics.Select(d => d.Message));
    }

    [Fact]
    public void MissingFile()
    {
        var diagnostic = Bind(("root.dsm", "use \"nowhere.dsm\"")).Diagnostics.Single();
        Assert.Equal((DiagnosticCode.ImportNotFound, "cannot use 'nowhere.dsm': there is no such file"),
            (diagnostic.Code, diagnostic.Message));
    }

    [Fact]
    public void ErrorsComeInOrderOfFiles()
    {
        var program = Bind(("root.dsm", "use \"a.dsm\"\nparam x = 1 zz"), ("a.dsm", "param y = 1 zz"));
        Assert.Equal([("root.dsm", DiagnosticCode.UnknownUnit), ("a.dsm", DiagnosticCode.UnknownUnit)], program.Diagnostics
            .Select(d => (d.Span.Path, d.Code)));
    }

    private static BoundProgram Bind(params (string Path, string Text)[] files) =>
        FrontEnd.Bind(SourceText.From(files[0].Path, files[0].Text), new BindOptions([], Sources: new Files(files)));

    private sealed class Files((string Path, string Text)[] files) : ISourceProvider
    {
        public SourceLookup Find(string from, string path)
        {
            var found = files.FirstOrDefault(f => f.Path == path);
            return found.Path is null ? SourceLookup.Missing("there is no such file")
                : SourceLookup.Found(SourceText.From(found.Path, found.Text));
        }
    }
}
