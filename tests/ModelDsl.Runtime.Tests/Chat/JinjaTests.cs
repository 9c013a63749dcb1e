using System.Text.Json;
using ModelDsl.Runtime.Chat;
using ModelDsl.Testing;

namespace ModelDsl.Runtime.Tests.Chat;

/// <summary>The template language against jinja2 itself, and what it does with templates that are wrong or mean harm.</summary>
public class JinjaTests
{
    private static readonly DateTime Now = new(2026, 3, 7, 14, 5, 9);
    private static readonly JsonElement Cases = JsonDocument.Parse(
        File.ReadAllBytes(Repository.PathTo("tests", "ModelDsl.Runtime.Tests", "Chat", "jinja-cases.json"))).RootElement;

    [Fact]
    public void Templates_render_as_jinja2_renders_them()
    {
        var wrong = new List<string>();
        foreach (var c in Cases.GetProperty("cases").EnumerateArray())
        {
            var template = c.GetProperty("template").GetString()!;
            var expected = c.TryGetProperty("out", out var text) ? text.GetString() : null;
            var actual = RenderOrNull(template, out var error);
            if (actual != expected)
                wrong.Add($"{template}\n  jinja2: {expected ?? "refuses"}\n  here:   {actual ?? error}");
        }

        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData("one\n{{ 'a' + 1 }}", 2, "\"+\" cannot be used between a string and a number")]
    [InlineData("one\ntwo\n{% for x in [1] %}\n{{ nothing.at_all }}{% endfor %}", 4, "\"at_all\" is asked of \"nothing\" (undefined)")]
    [InlineData("{{ [1][2].a }}", 1, "\"a\" is asked of the item 2 (undefined)")]
    [InlineData("{{ none['b'] + 1 }}", 1, "\"+\" cannot be used between \"b\" (undefined) and a number")]
    [InlineData("{{ none[[1]].a }}", 1, "\"a\" is asked of the item at a list (undefined)")]
    [InlineData("{{ none[none[nothing]].a }}", 1, "\"a\" is asked of the item (undefined)")]
    [InlineData("\n\n{{ raise_exception('Roles must alternate') }}", 3, "Roles must alternate")]
    [InlineData("\n{% if true %}\n", 2, "a block is not closed: \"endif\" is missing")]
    [InlineData("\n{{ 1 2 }}", 2, "the end of the tag is missing before \"2\"")]
    [InlineData("{{ 'a\n' }}{{ 'b }}", 2, "a string is not closed")]
    [InlineData("{% include 'x' %}", 1, "the block \"include\" is not supported here")]
    [InlineData("\n\n{{ x", 3, "a tag is not closed: \"}}\" is missing")]
    [InlineData("{{ x | nofilter }}", 1, "there is no filter \"nofilter\"")]
    public void Errors_name_the_line_and_the_cause(string template, int line, string cause)
    {
        var error = Assert.Throws<ChatTemplateException>(() => Render(template));
        Assert.Equal(line, error.Line);
        Assert.Equal(cause, error.Cause);
        Assert.Equal($"chat template, line {line}: {cause}", error.Message);
    }

    [Theory]
    [InlineData("{% set n = namespace(s='ab') %}{% for i in range(100) %}{% set n.s = n.s + n.s %}{% endfor %}")]
    [InlineData("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}")]
    [InlineData("{{ 'abcdefgh' * 1000000000 }}")]
    [InlineData("{{ 9 ** 99 ** 99 }}")]
    [InlineData("{{ 0 ** 99999999999 }}")]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")]
    [InlineData("{% set n = namespace() %}{% set n.l = [] %}{% for i in range(90000) %}{% set n.l = [n.l] %}{% endfor %}{{ n.l }}")]
    [InlineData("{% set n = namespace() %}{% set n.l = [] %}{% for i in range(90000) %}{% set n.l = [n.l] %}{% endfor %}{{ n.l == n.l|list }}")]
    [InlineData("{% for i in range(99999) %}{{ 'a' * 10000 }}{% endfor %}")]
    [InlineData("{{ range(100001) }}")]
    public void Templates_that_would_hang_or_exhaust_memory_are_stopped(string template) =>
        Assert.Throws<ChatTemplateException>(() => Render(template));

    [Theory]
    [InlineData("(")]
    [InlineData("[")]
    [InlineData("{0:")]
    [InlineData("-")]
    [InlineData("not ")]
    [InlineData("1 if 1 else ")]
    [InlineData("a.")]
    [InlineData("1 + ")]
    public void Deep_nesting_is_an_error_and_no_crash(string part)
    {
        var open = "{{ " + string.Concat(Enumerable.Repeat(part, 50_000)) + "1 }}";
        var blocks = string.Concat(Enumerable.Repeat("{% if 1 %}", 10_000));
        RenderOrNull(open, out var error);
        // "not not not …" folds; everything else must be refused.
        Assert.True(error is not null || part == "not ");
        Assert.Throws<ChatTemplateException>(() => Render(blocks));
        Assert.Throws<ChatTemplateException>(() => Render(string.Concat(Enumerable.Repeat("{% if 0 %}{% elif 1 %}", 10_000))));
        Assert.Throws<ChatTemplateException>(() => Render("{% if 0 %}" + string.Concat(Enumerable.Repeat("{% elif 1 %}", 10_000))));
    }

    [Fact]
    public void Damaged_templates_end_in_a_rendering_or_a_typed_error()
    {
        var random = new Random(5);
        var sources = Cases.GetProperty("cases").EnumerateArray().Select(c => c.GetProperty("template").GetString()!).ToArray();
        for (var round = 0; round < 4000; round++)
        {
            var text = sources[random.Next(sources.Length)].ToList();
            for (var edits = random.Next(1, 5); edits > 0 && text.Count > 1; edits--)
            {
                var at = random.Next(text.Count);
                var donor = sources[random.Next(sources.Length)];
                if (random.Next(3) == 0)
                    text.RemoveAt(at);
                else if (random.Next(2) == 0)
                    text.Insert(at, donor[random.Next(donor.Length)]);
                else
                    text[at] = "{}%#-'\"()[]|.=~<\n0a\uD83C"[random.Next(20)];
            }

            RenderOrNull(new string([.. text]), out _);
        }
    }

    private static string? RenderOrNull(string template, out string? error)
    {
        try
        {
            error = null;
            return Render(template);
        }
        catch (ChatTemplateException e)
        {
            error = e.Message;
            return null;
        }
    }

    private static string Render(string template)
    {
        var variables = Cases.GetProperty("variables");
        return ChatTemplate.Parse(template).Render(variables.GetProperty("messages"), addGenerationPrompt: false, new ChatVariables
        {
            Others = variables.EnumerateObject().Where(p => p.Name != "messages").ToDictionary(p => p.Name, p => p.Value),
            Now = () => Now,
        });
    }
}
