using System.Text.Json;
using ModelDsl.Runtime.Chat;
using ModelDsl.Runtime.Tests.Tokenization;
using ModelDsl.Testing;

namespace ModelDsl.Runtime.Tests.Chat;

/// <summary>The three published DeepSeek templates on the golden conversations, rendered elsewhere by jinja2.</summary>
public class DeepSeekTemplateTests
{
    private static readonly JsonElement True = JsonDocument.Parse("true").RootElement;
    private static readonly JsonElement False = JsonDocument.Parse("false").RootElement;

    [SharedTheory]
    [InlineData("v3")]
    [InlineData("r1")]
    [InlineData("v3_1")]
    [InlineData("v3_1_thinking")]
    public void Conversations_read_as_jinja2_renders_them(string template)
    {
        var tokenizer = template == "v3" ? DeepSeekTokenizer.V3 : DeepSeekTokenizer.R1;
        var parsed = template == "v3" ? ChatTemplate.For(tokenizer)! : Parse(template == "r1" ? "chat_template_r1.jinja" : "chat_template_v3_1.jinja");
        var variables = new ChatVariables
        {
            Others = template.StartsWith("v3_1", StringComparison.Ordinal)
                ? new Dictionary<string, JsonElement> { ["thinking"] = template == "v3_1" ? False : True }
                : [],
        };
        var count = 0;
        foreach (var chat in DeepSeekTokenizer.Vectors.GetProperty("chat").EnumerateArray())
        {
            var expected = chat.GetProperty(template);
            var text = parsed.Render(chat.GetProperty("messages"), chat.GetProperty("add_generation_prompt").GetBoolean(), variables);
            Assert.Equal(expected.GetProperty("text").GetString(), text);
            Assert.Equal(DeepSeekTokenizer.Ids(expected.GetProperty("ids")), tokenizer.Encode(text));
            count++;
        }

        Assert.Equal(8, count);
    }

    private static ChatTemplate Parse(string file) => ChatTemplate.Parse(
        File.ReadAllText(Path.Combine(DeepSeekTokenizer.Folder, file)), ChatTemplate.ConstantsOf(DeepSeekTokenizer.V3), file);
}
