using System.CommandLine;
using ModelDsl.Runtime.Chat;
using ModelDsl.Runtime.Tokenization;

namespace ModelDsl.Cli.Verbs;

/// <summary><c>dsmc tokenize --tokenizer DIR</c>: text to ids, ids to text, conversations to text.</summary>
internal static class TokenizeVerb
{
    public static Command Create(IoContext io)
    {
        var verb = new Command("tokenize", "Turns the text on standard input into token ids.");
        var folder = new Option<string>("--tokenizer")
        {
            Description = "The folder that holds tokenizer.json, and tokenizer_config.json where there is one.",
            HelpName = "DIR",
            Required = true,
        };
        var decode = new Option<bool>("--decode") { Description = "The reverse: ids in, their text out." };
        var chat = new Option<bool>("--chat")
        {
            Description = "A JSON list of messages in (or an object with \"messages\" and the template's variables), the chat template's text out.",
        };
        var lines = new Option<bool>("--jsonl") { Description = "Every line is a JSON value of its own, and so is every answer." };
        var bos = new Option<bool>("--bos") { Description = "Encoding: add what the checkpoint puts around a text, BOS for DeepSeek." };
        var plain = new Option<bool>("--plain") { Description = "Encoding: control tokens in the text are text like any other." };
        var skip = new Option<bool>("--skip-special") { Description = "Decoding: leave control tokens out." };
        foreach (var option in new Option[] { folder, decode, chat, lines, bos, plain, skip })
            verb.Options.Add(option);
        verb.Validators.Add(result =>
        {
            if (result.GetValue(decode) && result.GetValue(chat))
                result.AddError("--decode and --chat exclude each other.");
        });
        verb.SetAction(parsed =>
        {
            var direction = parsed.GetValue(decode) ? TokenizeDirection.Decode
                : parsed.GetValue(chat) ? TokenizeDirection.Chat
                : TokenizeDirection.Encode;
            var request = new TokenizeRequest(parsed.GetValue(folder)!, direction, parsed.GetValue(lines))
            {
                AddSpecialTokens = parsed.GetValue(bos),
                Plain = parsed.GetValue(plain),
                SkipSpecial = parsed.GetValue(skip),
            };
            try
            {
                TokenizeCommand.Run(request, io.In, io.Out);
                return ExitCode.Success;
            }
            catch (Exception e) when (e is TokenizerException or ChatTemplateException or TokenizeInputException)
            {
                io.Error.WriteLine($"dsmc: {e.Message}");
                return ExitCode.Trouble;
            }
        });
        return verb;
    }
}
