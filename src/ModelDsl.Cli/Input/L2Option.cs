using System.CommandLine;
using ModelDsl.Cli.Benchmarking;

namespace ModelDsl.Cli.Input;

/// <summary><c>--l2 read|written</c>: what timed runs find in L2.</summary>
internal sealed class L2Option : Option<L2Contents>
{
    public L2Option() : base("--l2")
    {
        Description = "What is in L2 when a timed run begins: other memory that was read, or that was written and has to be driven out first.";
        HelpName = "read|written";
        DefaultValueFactory = _ => L2Contents.Read;
    }
}
