using System.CommandLine;
using ModelDsl.Cli.Hosting;
using ModelDsl.Runtime.Models;
using ModelDsl.Runtime.Tokenization;

namespace ModelDsl.Cli.Input;

/// <summary>What to run a model on, how to choose tokens, and what to write down: the options of <c>dsmc run</c> that make a request.</summary>
public sealed class RunInput
{
    private const int UsualNewTokens = 64;

    private readonly Option<string> _weights = new("--weights")
    {
        Description = "The checkpoint's folder: safetensors, config.json, tokenizer.json.",
        Required = true,
    };

    private readonly Option<string?> _prompt = new("--prompt") { Description = "Text to go on from." };
    private readonly Option<string?> _ids = new("--ids") { Description = "Token ids to go on from: 1,2,3 or @FILE." };

    private readonly Option<int?> _maxNew = new("--max-new")
    {
        Description = $"New tokens; {UsualNewTokens}, or none where only --logits or --dump is asked for.",
    };

    private readonly Option<float> _temperature = new("--temperature") { Description = "0 takes the likeliest token.", DefaultValueFactory = _ => 0 };
    private readonly Option<float> _topP = new("--top-p") { Description = "Draws from the likeliest tokens with this much probability.", DefaultValueFactory = _ => 1 };
    private readonly Option<ulong> _seed = new("--seed") { Description = "The same seed gives the same text.", DefaultValueFactory = _ => 0 };
    private readonly Option<bool> _ignoreEos = new("--ignore-eos") { Description = "Goes on after the token that ends a text." };
    private readonly Option<int?> _chunk = new("--chunk") { Description = "Prompt tokens per prefill step." };
    private readonly Option<bool> _oneByOne = new("--one-by-one") { Description = "Feeds the prompt through decode steps, a token each." };
    private readonly Option<string?> _logits = new("--logits") { Description = "Writes the prompt's logits, f32 [positions, vocabulary], as safetensors." };
    private readonly Option<string?> _dump = new("--dump") { Description = "Writes intermediate tensors of the prompt as safetensors." };

    public void AddTo(Command verb)
    {
        foreach (var option in new Option[] { _weights, _prompt, _ids, _maxNew, _temperature, _topP, _seed, _ignoreEos, _chunk, _oneByOne, _logits, _dump })
            verb.Options.Add(option);
    }

    /// <summary>The checkpoint's folder.</summary>
    public string Weights(ParseResult parsed) => parsed.GetValue(_weights)!;

    /// <summary>The text to go on from; null where ids were given.</summary>
    public string? Prompt(ParseResult parsed) => parsed.GetValue(_prompt);

    /// <exception cref="TroubleException">Options contradict each other.</exception>
    public void Check(ParseResult parsed)
    {
        if (Prompt(parsed) is null == parsed.GetValue(_ids) is null) throw TroubleException.Usage("run needs --prompt or --ids, and not both");
        if (parsed.GetValue(_chunk) is <= 0) throw TroubleException.Usage("--chunk should be at least 1");
        if (parsed.GetValue(_logits) is { } one && parsed.GetValue(_dump) is { } other && Path.GetFullPath(one) == Path.GetFullPath(other))
            throw TroubleException.Usage("--logits and --dump name the same file");
    }

    /// <summary>The checkpoint's tokenizer; null where there is none and ids were given, which is enough to run.</summary>
    /// <exception cref="TokenizerException">There is none, or it cannot be used.</exception>
    public Tokenizer? LoadTokenizer(ParseResult parsed) =>
        Prompt(parsed) is not null || File.Exists(Path.Combine(Weights(parsed), "tokenizer.json")) ? Tokenizer.Load(Weights(parsed)) : null;

    /// <exception cref="TroubleException">There is no token to start from, or an id is none.</exception>
    public RunRequest Request(ParseResult parsed, Tokenizer? tokenizer)
    {
        var tokens = parsed.GetValue(_ids) is { } list ? TokenIds.Parse(list) : tokenizer!.Encode(Prompt(parsed)!, addSpecialTokens: true);
        if (tokens.Length == 0) throw TroubleException.Usage("the prompt is empty: there is no token to start from");
        var onlyLooks = parsed.GetValue(_logits) is not null || parsed.GetValue(_dump) is not null;
        return new RunRequest(
            tokens,
            parsed.GetValue(_maxNew) ?? (onlyLooks ? 0 : UsualNewTokens),
            new Sampling(parsed.GetValue(_temperature), parsed.GetValue(_topP), parsed.GetValue(_seed)),
            parsed.GetValue(_ignoreEos) ? [] : null,
            parsed.GetValue(_chunk),
            parsed.GetValue(_logits),
            parsed.GetValue(_dump),
            parsed.GetValue(_oneByOne));
    }
}
