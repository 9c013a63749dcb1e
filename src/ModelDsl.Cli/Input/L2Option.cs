using System.CommandLine;
using ModelDsl.Cli.Benchmarking;

namespace ModelDsl.Cli.Input;

/// <summary><c>--l2 read|written</c>: what timed runs find in L2.</summary>
internal sealed class L2Option
{
    private readonly Option<string> _contents = new("--l2")
    {
        Description = "What is in L2 when a timed run begins: other memory that was read, or that was written and has to be driven out first.",
        HelpName = "read|written",
        DefaultValueFactory = _ => "read",
    };

    public void AddTo(Command verb) => verb.Options.Add(_contents);

    /// <exception cref="TroubleException">It is neither.</exception>
    public L2Contents Of(ParseResult parsed) => parsed.GetValue(_contents) switch
    {
        "read" => L2Contents.Read,
        "written" => L2Contents.Written,
        var other => throw TroubleException.Usage($"--l2 {other}: read or written is expected"),
    };
}
