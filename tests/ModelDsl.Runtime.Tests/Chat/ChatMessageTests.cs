using System.Text.Json;
using ModelDsl.Runtime.Chat;

namespace ModelDsl.Runtime.Tests.Chat;

/// <summary>Typed messages reach a template in the same shape as messages given as JSON.</summary>
public class ChatMessageTests
{
    private static readonly ChatTemplate Dump = ChatTemplate.Parse(
        "{{ bos_token }}{{ messages | tojson }}{{ add_generation_prompt }}{{ tools }}{{ eos_token is defined }}",
        new Dictionary<string, string?> { ["bos_token"] = "<s>", ["eos_token"] = null });

    [Fact]
    public void Absent_parts_are_absent_and_calls_are_nested()
    {
        var text = Dump.Render(
            [
                new ChatMessage("user", "Hi"),
                new ChatMessage("assistant", null) { ToolCalls = [new ChatToolCall("c1", "add", "{\"a\": 1}")] },
                new ChatMessage("tool", "2") { ToolCallId = "c1", Name = "add" },
            ]);
        Assert.Equal(
            """
            <s>[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{\"a\": 1}"}}]}, {"role": "tool", "content": "2", "name": "add", "tool_call_id": "c1"}]TrueNoneFalse
            """,
            text);
    }

    [Fact]
    public void Tools_and_further_variables_are_passed_on()
    {
        var template = ChatTemplate.Parse("{{ tools[0].name }} {{ thinking }}");
        var text = template.Render([], variables: new ChatVariables
        {
            Tools = JsonDocument.Parse("""[{"name": "add"}]""").RootElement,
            Others = new Dictionary<string, JsonElement> { ["thinking"] = JsonDocument.Parse("true").RootElement },
        });
        Assert.Equal("add True", text);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("\"hi\"")]
    [InlineData("[1]")]
    [InlineData("[{\"role\": \"\\ud800\"}]")]
    public void Messages_of_the_wrong_shape_are_refused(string json) =>
        Assert.Throws<ChatTemplateException>(() => Dump.Render(JsonDocument.Parse(json).RootElement));
}
