using ModelDsl.Runtime.Checkpoints;
using ModelDsl.Runtime.Models;
using ModelDsl.Runtime.Tokenization;
using ModelDsl.Runtime.VirtualGpu;

var folder = Path.Combine(AppContext.BaseDirectory, "checkpoint");
var prompt = args.Length > 0 ? string.Join(' ', args) : "KING RICHARD III";

// TinyV3 is the model of tiny-v3.dsm: the class is made when the project is built, in the namespace of the project.
using var device = new VirtualDevice();
using var checkpoint = Checkpoint.Open(folder);
using var model = new MyModelApp.TinyV3(device, checkpoint);
using var session = model.CreateSession();

var tokenizer = Tokenizer.Load(folder);
var text = new StreamDecoder(tokenizer, skipSpecial: true);

Console.Write(prompt);
await foreach (var token in model.GenerateAsync(session, tokenizer.Encode(prompt, addSpecialTokens: true), new Generation(MaxNewTokens: 64)))
    Console.Write(text.Push(token));
Console.WriteLine(text.Flush());
