using ModelDsl.Runtime.Chat;
using ModelDsl.Runtime.Tokenization;
using ModelDsl.Testing;

namespace ModelDsl.Runtime.Tests.Chat;

/// <summary>The command behind <c>dsmc tokenize</c>, on the sample's tokenizer.</summary>
public class TokenizeCommandTests
{
    private static readonly string Folder = Repository.PathTo("samples", "tiny-v3", "checkpoint");

    [Theory]
    [InlineData("First Citizen:\nBefore we proceed\n")]
    [InlineData("日本 🌍\r\n\t")]
    [InlineData("")]
    public void Whole_text_goes_to_ids_and_back_byte_for_byte(string text)
    {
        var ids = Run(TokenizeDirection.Encode, false, text);
        Assert.EndsWith("\n", ids);
        Assert.Equal(text, Run(TokenizeDirection.Decode, false, ids));
        Assert.Equal(text, Run(TokenizeDirection.Decode, false, "[" + ids.Trim().Replace(" ", ", ") + "]\n"));
    }

    [Fact]
    public void Lines_of_JSON_go_to_lines_of_JSON_and_back()
    {
        const string lines = "\"Hi\\nthere\"\n\"\"\n\"<｜User｜>🌍\"\n";
        var ids = Run(TokenizeDirection.Encode, true, lines);
        Assert.Equal(3, ids.Count(c => c == '\n'));
        Assert.Equal("[]", ids.Split('\n')[1]);
        Assert.StartsWith("[510,", ids.Split('\n')[2]);
        Assert.Equal(lines.Replace("🌍", "\\uD83C\\uDF0D"), Run(TokenizeDirection.Decode, true, ids));
    }

    [Fact]
    public void A_conversation_becomes_the_text_of_the_template()
    {
        const string messages = """[{"role": "user", "content": "Hi"}]""";
        const string text = "<｜begin▁of▁sentence｜><｜User｜>Hi";
        Assert.Equal(text + "<｜Assistant｜>", Run(TokenizeDirection.Chat, false, messages));
        Assert.Equal(
            text + "<｜Assistant｜>Yes<｜end▁of▁sentence｜>",
            Run(TokenizeDirection.Chat, false, messages.Replace("]", ", {\"role\": \"assistant\", \"content\": \"Yes\"}]")));
        Assert.Equal(
            $"\"{text}\"\n",
            Run(TokenizeDirection.Chat, true, $$"""{"messages": {{messages}}, "add_generation_prompt": false}"""));
    }

    [Fact]
    public void Options_put_BOS_in_front_and_keep_control_tokens_out()
    {
        Assert.StartsWith("0 ", Run(new TokenizeRequest(Folder, TokenizeDirection.Encode, false) { AddSpecialTokens = true }, "Hi"));
        Assert.DoesNotContain("510", Run(new TokenizeRequest(Folder, TokenizeDirection.Encode, false) { Plain = true }, "<｜User｜>"));
        Assert.Equal("a", Run(new TokenizeRequest(Folder, TokenizeDirection.Decode, false) { SkipSpecial = true }, "0 67 1"));
    }

    [Theory]
    [InlineData(TokenizeDirection.Encode, true, "\"ok\"\nnot json\n", "standard input, line 2: not a JSON string")]
    [InlineData(TokenizeDirection.Encode, true, "\"a\\ud800\"", "standard input, line 1: not a JSON string")]
    [InlineData(TokenizeDirection.Decode, true, "[1]\n[1.5]", "standard input, line 2: not a JSON array of whole numbers")]
    [InlineData(TokenizeDirection.Decode, true, "null", "standard input, line 1: null is not a JSON array of whole numbers")]
    [InlineData(TokenizeDirection.Decode, false, "1 2 x", "standard input: 'x' at character 5 begins no id")]
    [InlineData(TokenizeDirection.Decode, false, "99999999999", "standard input: '9' at character 1 begins no id")]
    [InlineData(TokenizeDirection.Chat, false, "[", "standard input: not a JSON list of messages")]
    [InlineData(TokenizeDirection.Chat, true, "{}", "standard input, line 1: the object holds no \"messages\"")]
    public void Malformed_input_is_named_by_line(TokenizeDirection direction, bool perLine, string input, string message) =>
        Assert.Equal(message, Assert.Throws<TokenizeInputException>(() => Run(direction, perLine, input)).Message);

    [Fact]
    public void A_folder_without_a_tokenizer_is_named()
    {
        var error = Assert.Throws<TokenizerException>(() => Run(new TokenizeRequest("/nowhere", TokenizeDirection.Encode, false), ""));
        Assert.Equal(Path.Combine("/nowhere", "tokenizer.json"), error.File);
        Assert.Equal("the file does not exist", error.Cause);
    }

    private static string Run(TokenizeDirection direction, bool perLine, string input) =>
        Run(new TokenizeRequest(Folder, direction, perLine), input);

    private static string Run(TokenizeRequest request, string input)
    {
        var output = new StringWriter();
        TokenizeCommand.Run(request, new StringReader(input), output);
        return output.ToString();
    }
}
