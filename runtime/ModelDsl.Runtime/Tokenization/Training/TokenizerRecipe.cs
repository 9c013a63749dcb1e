using ModelDsl.Runtime.Tokenization.Patterns;
using ModelDsl.Runtime.Tokenization.PreTokenizers;

namespace ModelDsl.Runtime.Tokenization.Training;

/// <summary>What a trained tokenizer has in common with DeepSeek-V3's: how text is cut, which tokens are added, how a chat reads.</summary>
internal static class TokenizerRecipe
{
    public const string Bos = "<｜begin▁of▁sentence｜>";
    public const string Eos = "<｜end▁of▁sentence｜>";

    /// <summary>The first ids, part of the vocabulary and special.</summary>
    public static readonly string[] Special = [Bos, Eos, "<｜▁pad▁｜>"];

    /// <summary>The last ids, matched in text but no control tokens: skipping special tokens keeps them.</summary>
    public static readonly string[] Added = ["<｜User｜>", "<｜Assistant｜>"];

    /// <summary>Digits in groups of three, then Chinese and Japanese runs, then words, punctuation and space.</summary>
    public static readonly string[] Expressions =
    [
        @"\p{N}{1,3}",
        "[一-龥぀-ゟ゠-ヿ]+",
        """[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^"""
            + "\r\n" + @"\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[" + "\r\n" + @"]*|\s*[" + "\r\n" + @"]+|\s+(?!\S)|\s+",
    ];

    /// <summary>Order of turns and marks as in DeepSeek-V3; plain messages only.</summary>
    public const string ChatTemplate =
        """
        {%- set system = namespace(text='') -%}
        {%- for message in messages -%}
            {%- if message['role'] == 'system' -%}
                {%- set system.text = system.text + ('\n\n' if system.text else '') + message['content'] -%}
            {%- endif -%}
        {%- endfor -%}
        {{- bos_token + system.text -}}
        {%- for message in messages -%}
            {%- if message['role'] == 'user' -%}
                {{- '<｜User｜>' + message['content'] -}}
            {%- elif message['role'] == 'assistant' -%}
                {{- '<｜Assistant｜>' + message['content'] + eos_token -}}
            {%- endif -%}
        {%- endfor -%}
        {%- if add_generation_prompt -%}
            {{- '<｜Assistant｜>' -}}
        {%- endif -%}
        """;

    public static IReadOnlyList<PreTokenizer> PreTokenizers() =>
        [.. Expressions.Select(e => new SplitPreTokenizer(Pattern.Parse(e), SplitBehavior.Isolated, invert: false))];
}
