using ModelDsl.Testing;

namespace ModelDsl.Cli.Tests;

/// <summary><c>dsmc tokenize</c> as a user calls it; what it computes is tested with the runtime.</summary>
public class TokenizeVerbTests
{
    private static readonly string Folder = Repository.PathTo("samples", "tiny-v3", "checkpoint");

    [Fact]
    public void Ids_come_out_and_go_back()
    {
        var (code, ids, error) = Run("What, ho!\n", "tokenize", "--tokenizer", Folder);
        Assert.Equal((ExitCode.Success, ""), (code, error));
        Assert.Matches(@"^\d+( \d+)*\n$", ids);
        Assert.Equal((ExitCode.Success, "What, ho!\n", ""), Run(ids, "tokenize", "--tokenizer", Folder, "--decode"));
    }

    [Fact]
    public void Lines_of_JSON_and_conversations_are_options()
    {
        Assert.Equal((ExitCode.Success, "[67]\n[]\n", ""), Run("\"a\"\n\"\"\n", "tokenize", "--tokenizer", Folder, "--jsonl"));
        Assert.Equal(
            (ExitCode.Success, "<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜>", ""),
            Run("""[{"role": "user", "content": "Hi"}]""", "tokenize", "--tokenizer", Folder, "--chat"));
    }

    [Fact]
    public void Usage_and_trouble_have_their_own_exit_codes()
    {
        Assert.Equal(ExitCode.Usage, Run("", "tokenize").Code);
        Assert.Equal(ExitCode.Usage, Run("", "tokenize", "--tokenizer", Folder, "--decode", "--chat").Code);
        var (code, output, error) = Run("[1, \"a\"]", "tokenize", "--tokenizer", Folder, "--jsonl", "--decode");
        Assert.Equal((ExitCode.Trouble, "", "dsmc: standard input, line 1: not a JSON array of whole numbers\n"), (code, output, error));
        Assert.Equal(ExitCode.Trouble, Run("", "tokenize", "--tokenizer", "/nowhere").Code);
    }

    private static (int Code, string Output, string Error) Run(string input, params string[] arguments)
    {
        var (output, error) = (new StringWriter { NewLine = "\n" }, new StringWriter { NewLine = "\n" });
        var code = DsmcCommand.Run(arguments, new IoContext(new StringReader(input), output, error, IsTerminal: false));
        return (code, output.ToString(), error.ToString());
    }
}
