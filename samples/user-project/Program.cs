using ModelDsl.Runtime.Checkpoints;
using ModelDsl.Runtime.Models;
using ModelDsl.Runtime.Tokenization;
using ModelDsl.Runtime.VirtualGpu;
using UserProject;

if (args.Length is 0 or > 2)
{
    Console.Error.WriteLine("usage: user-project CHECKPOINT [PROMPT]");
    return 2;
}

var tokenizer = Tokenizer.Load(args[0]);
var prompt = args.Length > 1 ? args[1] : "KING RICHARD III";

using var device = new VirtualDevice();
using var checkpoint = Checkpoint.Open(args[0]);
using var model = new TinyV3(device, checkpoint);
using var session = model.CreateSession();

Console.Write(prompt);
var text = new StreamDecoder(tokenizer, skipSpecial: true);
var ids = tokenizer.Encode(prompt, addSpecialTokens: true);
await foreach (var token in model.GenerateAsync(session, ids, new Generation(MaxNewTokens: 64)))
    Console.Write(text.Push(token));
Console.WriteLine(text.Flush());
return 0;
