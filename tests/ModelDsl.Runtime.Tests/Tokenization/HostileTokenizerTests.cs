using System.Text;
using System.Text.Json.Nodes;
using ModelDsl.Runtime.Tokenization;

namespace ModelDsl.Runtime.Tests.Tokenization;

/// <summary>Whatever a tokenizer file holds, loading it ends in a tokenizer or in one typed error that names the file.</summary>
public class HostileTokenizerTests
{
    [Theory]
    [InlineData("", "not valid JSON, or the file is cut short")]
    [InlineData("[]", "the file must be an object, and is an array")]
    [InlineData("{}", "there is no \"model\"")]
    [InlineData("{\"model\": 1}", "model must be an object, and is a number")]
    [InlineData("{\"model\": {\"type\": \"Unigram\", \"vocab\": {}, \"merges\": []}}", "a model of type \"Unigram\" is not supported, only BPE")]
    [InlineData("{\"model\": {\"vocab\": []}}", "\"vocab\" must be an object, and is an array")]
    [InlineData("{\"model\": {\"vocab\": {\"a\": -1}}}", "the id of a vocabulary entry must be a whole number from 0 to 4194303")]
    [InlineData("{\"model\": {\"vocab\": {\"a\": 1e9}}}", "the id of a vocabulary entry must be a whole number from 0 to 4194303")]
    [InlineData("{\"model\": {\"vocab\": {\"a\": 1, \"b\": 1}}}", "two vocabulary entries have the id 1")]
    [InlineData("{\"model\": {\"vocab\": {\"a\": 1, \"a\": 2}}}", "the vocabulary holds \"a\" twice")]
    [InlineData("{\"model\": {\"vocab\": {\"a\": 1}, \"merges\": [\"a b\"]}}", "merge 0 uses \"b\", which is not in the vocabulary")]
    [InlineData("{\"model\": {\"vocab\": {\"a\": 1}, \"merges\": [\"a a\"]}}", "merge 0 uses \"aa\", which is not in the vocabulary")]
    [InlineData("{\"model\": {\"vocab\": {\"a\": 1}, \"merges\": [\"aa\"]}}", "a merge must be two parts with one space between")]
    [InlineData("{\"model\": {\"vocab\": {\"a\": 1}, \"merges\": [[\"a\"]]}}", "a merge needs two parts")]
    [InlineData("{\"model\": {\"vocab\": {\"\\ud800\": 1}}}", "a string is not valid Unicode text")]
    [InlineData("{\"model\": {\"vocab\": {}, \"merges\": []}}", "only byte-level tokenizers are supported: a pre-tokenizer of type ByteLevel is missing")]
    [InlineData("{\"added_tokens\": [{\"id\": 1}]}", "an added token needs an id and a content that is not empty")]
    [InlineData("{\"normalizer\": {\"type\": \"Nmt\"}}", "a normalizer of type \"Nmt\" is not supported")]
    [InlineData("{\"pre_tokenizer\": {\"type\": \"Metaspace\"}}", "a pre-tokenizer of type \"Metaspace\" is not supported")]
    [InlineData("{\"pre_tokenizer\": {\"type\": \"Split\"}}", "a pre-tokenizer of type Split needs a pattern and a behavior")]
    [InlineData("{\"pre_tokenizer\": {\"pattern\": {\"Regex\": \"(a\"}}}", "regular expression, character 3: a group is not closed")]
    [InlineData("{\"pre_tokenizer\": {\"pattern\": {\"Regex\": \"(a*)*\"}}}", "regular expression, character 6: an endless repetition of something that can be empty")]
    [InlineData("{\"post_processor\": {\"type\": \"BertProcessing\"}}", "a post-processor of type \"BertProcessing\" is not supported")]
    public void Mistakes_are_named(string json, string cause)
    {
        var error = Assert.Throws<TokenizerException>(() => Tokenizer.Parse(Encoding.UTF8.GetBytes(json), name: "some/tokenizer.json"));
        Assert.Equal(cause, error.Cause.Replace("vocab must", "\"vocab\" must", StringComparison.Ordinal));
        Assert.Equal("some/tokenizer.json", error.File);
        Assert.StartsWith("some/tokenizer.json: ", error.Message);
    }

    [Fact]
    public void A_file_cut_anywhere_is_an_error()
    {
        var file = SmallTokenizer.File();
        for (var length = 0; length < file.Length; length += length < 400 || length > file.Length - 100 ? 1 : 37)
            Assert.Throws<TokenizerException>(() => Tokenizer.Parse(file.AsSpan(0, length)));
    }

    [Fact]
    public void A_damaged_file_is_a_tokenizer_or_a_typed_error()
    {
        var file = SmallTokenizer.File(f =>
        {
            f["added_tokens"] = JsonNode.Parse("""[{"id": 300, "content": "<x>", "special": true, "lstrip": true}]""");
            f["pre_tokenizer"] = JsonNode.Parse(
                """
                {"type": "Sequence", "pretokenizers": [
                 {"type": "Split", "pattern": {"Regex": "(?i:'s|'t)|[^\\r\\n\\p{L}]?\\p{L}+|\\s+(?!\\S)|\\s+"}, "behavior": "Isolated", "invert": false},
                 {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}]}
                """);
        });
        var random = new Random(3);
        for (var round = 0; round < 1500; round++)
        {
            var damaged = file.ToArray();
            for (var edits = random.Next(1, 4); edits > 0; edits--)
            {
                // The vocabulary is most of the file and the least interesting part of it.
                var at = random.Next(2) == 0 ? random.Next(700) : random.Next(damaged.Length);
                damaged[at] = random.Next(3) == 0 ? (byte)random.Next(256) : "{}[]\":,019truefalsnl\\()*+?|^ "u8[random.Next(29)];
            }

            try
            {
                var tokenizer = Tokenizer.Parse(damaged);
                tokenizer.Decode(tokenizer.Encode("ab <x> abc'S 12\n\n x"));
            }
            catch (TokenizerException)
            {
            }
        }
    }

    [Fact]
    public void An_expression_that_runs_away_is_stopped()
    {
        var tokenizer = SmallTokenizer.WithPreTokenizer(
            """{"type": "Split", "pattern": {"Regex": "(a|a)+b|(a|aa)+$"}, "behavior": "Isolated", "invert": false}""");
        var error = Assert.Throws<TokenizerException>(() => tokenizer.Encode(new string('a', 5000) + "c"));
        Assert.Equal("the expression takes too long on this text", error.Cause);
    }

    [Theory]
    [InlineData("{\"bos_token\": 1}")]
    [InlineData("{\"bos_token\": {\"content\": 1}}")]
    [InlineData("{\"add_bos_token\": \"yes\"}")]
    [InlineData("{\"chat_template\": {}}")]
    [InlineData("{\"chat_template\": [{\"name\": \"default\"}]}")]
    [InlineData("{\"chat_template\"")]
    public void A_malformed_tokenizer_config_names_itself(string json)
    {
        var folder = Directory.CreateTempSubdirectory("modeldsl-tokenizer-").FullName;
        try
        {
            File.WriteAllBytes(Path.Combine(folder, "tokenizer.json"), SmallTokenizer.File());
            File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), json);
            Assert.Equal(Path.Combine(folder, "tokenizer_config.json"), Assert.Throws<TokenizerException>(() => Tokenizer.Load(folder)).File);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Settings_and_templates_are_read_in_all_their_forms()
    {
        var folder = Directory.CreateTempSubdirectory("modeldsl-tokenizer-").FullName;
        try
        {
            File.WriteAllBytes(Path.Combine(folder, "tokenizer.json"), SmallTokenizer.File());
            Assert.Null(Tokenizer.Load(folder).BosId);
            File.WriteAllText(Path.Combine(folder, "chat_template.jinja"), "from the file");
            Assert.Equal("from the file", Tokenizer.Load(folder).Config.ChatTemplates["default"]);
            File.WriteAllText(
                Path.Combine(folder, "tokenizer_config.json"),
                """{"bos_token": {"content": "a"}, "eos_token": "b", "pad_token": null, "chat_template": [{"name": "default", "template": "x"}, {"name": "tools", "template": "y"}]}""");
            var tokenizer = Tokenizer.Load(folder);
            Assert.Equal(("a", "b", null), (tokenizer.Config.BosToken, tokenizer.Config.EosToken, tokenizer.Config.PadToken));
            Assert.Equal(tokenizer.IdOf("a"), tokenizer.BosId);
            Assert.Equal(("x", "y"), (tokenizer.Config.ChatTemplates["default"], tokenizer.Config.ChatTemplates["tools"]));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
