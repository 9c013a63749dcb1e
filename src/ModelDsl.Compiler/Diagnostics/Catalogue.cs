using System.Collections.Immutable;
using System.Globalization;

namespace ModelDsl.Compiler.Diagnostics;

/// <summary>
/// All messages of the front end, one factory method each, in order of their codes. A message is a matter-of-fact phrase
/// that holds the numbers; the hint says what to write instead.
/// </summary>
public static class Catalogue
{
    private const int LongestText = 1000;

    public static Diagnostic FileTooLarge(SourceSpan at, long bytes, long limit) => Error(DiagnosticCode.FileTooLarge, at,
        $"the file has {Count(bytes)} bytes; a .dsm file may have {Count(limit)}", "is this the right file?");

    public static Diagnostic InvalidUtf8(SourceSpan at, int offset) => Error(DiagnosticCode.InvalidUtf8, at,
        $"byte {Count(offset)} is not UTF-8 text", "save the file as UTF-8, or check that it is the right file");

    public static Diagnostic NulCharacter(SourceSpan at, int offset) => Error(DiagnosticCode.NulCharacter, at,
        $"byte {Count(offset)} is zero, so this is no text file", "UTF-16 text must be saved as UTF-8");

    public static Diagnostic UnknownCharacter(SourceSpan at, char character) => Error(DiagnosticCode.UnknownCharacter, at,
        $"'{Printable(character)}' has no meaning here", character switch
        {
            '#' => "a comment starts with //",
            ';' => "a new line or a comma ends an entry",
            _ => null,
        });

    public static Diagnostic OpenString(SourceSpan at) => Error(
        DiagnosticCode.OpenString, at, "the text has no closing quote on its line", null);

    public static Diagnostic OpenComment(SourceSpan at) => Error(
        DiagnosticCode.OpenComment, at, "the comment is never closed", "end it with */");

    public static Diagnostic TooDeep(SourceSpan at, int limit) => Error(DiagnosticCode.TooDeep, at,
        $"more than {limit} brackets are open at once", null);

    public static Diagnostic OpenBrace(SourceSpan at) => Error(
        DiagnosticCode.OpenBrace, at, "'{' is never closed", "add '}' where the block ends");

    public static Diagnostic ExtraBrace(SourceSpan at) => Error(DiagnosticCode.ExtraBrace, at, "'}' closes nothing", null);

    public static Diagnostic Unexpected(SourceSpan at, string expected, string found) => Error(DiagnosticCode.Unexpected, at,
        $"expected {expected}, found {found}", null);

    public static Diagnostic MissingValue(SourceSpan at) => Error(
        DiagnosticCode.MissingValue, at, "'=' has no value", "write the value on the same line");

    public static Diagnostic MissingComma(SourceSpan at) => Error(DiagnosticCode.MissingComma, at,
        "two entries on one line need a comma between them", "add ',' here, or start a new line");

    public static Diagnostic BadNumber(SourceSpan at, string text) => Error(
        DiagnosticCode.BadNumber, at, $"'{text}' is not a number", null);

    public static Diagnostic TooManyErrors(SourceSpan at, int more) => Error(
        DiagnosticCode.TooManyErrors, at, $"{Count(more)} more errors are not shown", null);

    public static Diagnostic OpenBracket(SourceSpan at, string bracket) => Error(DiagnosticCode.OpenBracket, at,
        $"'{bracket}' is never closed", null);

    public static Diagnostic UnknownDeclaration(SourceSpan at, string kind, string? hint) => Error(DiagnosticCode.UnknownDeclaration, at,
        $"there is no declaration '{kind}'", hint ?? "a file holds model, precision, cluster, train, extend and serve");

    public static Diagnostic DuplicateDeclaration(SourceSpan at, string name, string kind, SourceSpan first) => Error(
        DiagnosticCode.DuplicateDeclaration, at,
        $"'{name}' is already the name of a {kind}", null).WithNote(first, $"'{name}' is first declared here");

    public static Diagnostic UnknownBase(SourceSpan at, string name, string kind, string? hint) => Error(DiagnosticCode.UnknownBase, at,
        $"there is no {kind} '{name}' to derive from", hint);

    public static Diagnostic CyclicBase(SourceSpan at, string chain) => Error(
        DiagnosticCode.CyclicBase, at, $"derives from itself: {chain}", null);

    public static Diagnostic BaseOfOtherKind(SourceSpan at, string name, string kind, string wanted) => Error(
        DiagnosticCode.BaseOfOtherKind, at, $"'{name}' is a {kind}, and this derives from a {wanted}", null);

    public static Diagnostic ImportNotFound(SourceSpan at, string path, string reason) => Error(DiagnosticCode.ImportNotFound, at,
        $"cannot use '{path}': {reason}", null);

    public static Diagnostic CyclicImport(SourceSpan at, string chain) => Error(
        DiagnosticCode.CyclicImport, at, $"files use one another in a circle: {chain}", null);

    public static Diagnostic UnknownEntry(SourceSpan at, string what, string name, string block, string? hint) => Error(
        DiagnosticCode.UnknownEntry, at, $"'{block}' has no {what} '{name}'", hint);

    public static Diagnostic DuplicateEntry(SourceSpan at, string name, SourceSpan first) => Error(DiagnosticCode.DuplicateEntry, at,
        $"'{name}' is given twice", null).WithNote(first, "first given here");

    public static Diagnostic MissingAttribute(SourceSpan at, string name, string block, string doc) => Error(
        DiagnosticCode.MissingAttribute, at, $"'{block}' needs '{name}'", $"{name}: {doc}");

    public static Diagnostic MissingBlock(SourceSpan at, string name, string block, string doc) => Error(DiagnosticCode.MissingBlock, at,
        $"'{block}' needs a block '{name}'", $"{name}: {doc}");

    public static Diagnostic WrongForm(SourceSpan at, string name, string isForm, string given, string example) => Error(
        DiagnosticCode.WrongForm, at, $"'{name}' is {isForm}, not {given}", $"write {example}");

    public static Diagnostic UnknownReference(SourceSpan at, string kind, string name, string? hint) => Error(
        DiagnosticCode.UnknownReference, at, $"there is no {kind} '{name}'", hint);

    public static Diagnostic UnknownWord(SourceSpan at, string word, string attribute, string choices, string? hint) => Error(
        DiagnosticCode.UnknownWord, at, $"'{word}' is no value of '{attribute}'", hint ?? $"one of: {choices}");

    public static Diagnostic WrongLabel(SourceSpan at, string block, string wanted) => Error(
        DiagnosticCode.WrongLabel, at, $"'{block}' {wanted}", null);

    public static Diagnostic MissingLabel(SourceSpan at, string block, string wanted) => Error(
        DiagnosticCode.MissingLabel, at, $"'{block}' {wanted}", null);

    public static Diagnostic BadSetPath(SourceSpan at, string text) => Error(DiagnosticCode.BadSetPath, at,
        $"'{text}' is not of the form path=value", "for example --set model.attention.heads=64, or --set x=9 for a parameter");

    public static Diagnostic SetTargetNotFound(SourceSpan at, string path, string reason, string? hint) => Error(
        DiagnosticCode.SetTargetNotFound, at, $"nothing to set at '{path}': {reason}", hint);

    public static Diagnostic NeedsBase(SourceSpan at, string kind) => Error(
        DiagnosticCode.NeedsBase, at, $"'{kind}' continues a training run and must name it",
        $"write {kind} Name from SomeTrain {{ … }}");

    public static Diagnostic CyclicParameter(SourceSpan at, string name) => Error(
        DiagnosticCode.CyclicParameter, at, $"parameter '{name}' depends on itself", null);

    public static Diagnostic UnknownParameter(SourceSpan at, string name, string? hint) => Error(DiagnosticCode.UnknownParameter, at,
        $"'{name}' is not a number and no parameter", hint);

    public static Diagnostic ChainTooLong(SourceSpan at, string name, int limit) => Error(DiagnosticCode.ChainTooLong, at,
        $"'{name}' leads through more than {limit} other names", null);

    public static Diagnostic DeviceName(SourceSpan at, string name) => Error(DiagnosticCode.DeviceName, at,
        $"'{name}' is the name of a device on Windows, which lets no file be called so", "files are named after models; take another name");

    public static Diagnostic UnknownUnit(SourceSpan at, string unit, string? hint) => Error(
        DiagnosticCode.UnknownUnit, at, $"there is no unit '{unit}'", hint);

    public static Diagnostic WrongDimension(SourceSpan at, string attribute, string wanted, string given, string? hint) => Error(
        DiagnosticCode.WrongDimension, at, $"'{attribute}' is {wanted}, and this is {given}", hint);

    public static Diagnostic OperatorDimension(SourceSpan at, char sign, string left, string right) => Error(
        DiagnosticCode.OperatorDimension, at, $"'{sign}' cannot join {left} and {right}", "both sides must have the same unit");

    public static Diagnostic WrongType(SourceSpan at, string name, string wanted, string given) => Error(DiagnosticCode.WrongType, at,
        $"'{name}' is {wanted}, and this is {given}", null);

    public static Diagnostic OutOfRange(SourceSpan at, string name, string value, string range) => Error(DiagnosticCode.OutOfRange, at,
        $"'{name}' is {value}, and must be {range}", null);

    public static Diagnostic NotWhole(SourceSpan at, string name, string value) => Error(DiagnosticCode.NotWhole, at,
        $"'{name}' is {value}, and must be a whole number", null);

    public static Diagnostic DivisionByZero(SourceSpan at) => Error(DiagnosticCode.DivisionByZero, at, "division by zero", null);

    public static Diagnostic UnknownArgument(SourceSpan at, string call, string argument, string? hint) => Error(
        DiagnosticCode.UnknownArgument, at, $"'{call}' takes no argument {argument}", hint);

    public static Diagnostic MissingArgument(SourceSpan at, string call, string argument, string example) => Error(
        DiagnosticCode.MissingArgument, at, $"'{call}' needs '{argument}'", $"as in {example}");

    public static Diagnostic DuplicateArgument(SourceSpan at, string argument) => Error(
        DiagnosticCode.DuplicateArgument, at, $"'{argument}' is given twice", null);

    public static Diagnostic NumberTooLarge(SourceSpan at) => Error(
        DiagnosticCode.NumberTooLarge, at, "the number is too large to compute with", null);

    public static Diagnostic LayersOverlap(SourceSpan at, string both, SourceSpan first) => Error(DiagnosticCode.LayersOverlap, at,
        $"{both} already described", null).WithNote(first, "here");

    public static Diagnostic LayersGap(SourceSpan at, string missing) => Error(DiagnosticCode.LayersGap, at,
        $"{missing} not described", "every layer from 0 on belongs to exactly one 'layers' block");

    public static Diagnostic LayersReversed(SourceSpan at, long first, long last) => Error(DiagnosticCode.LayersReversed, at,
        $"layers {first}..{last} runs backwards", $"write {last}..{first}; both ends are included");

    public static Diagnostic FeedForwardCount(SourceSpan at, int count) => Error(DiagnosticCode.FeedForwardCount, at,
        count == 0 ? "these layers have no feed-forward" : "these layers have two feed-forwards",
        "give them one block: dense { … } or moe { … }");

    public static Diagnostic OddRopeDim(SourceSpan at, long dim) => Error(DiagnosticCode.OddRopeDim, at,
        $"rope_dim is {dim}, and rotation works on pairs", $"use {dim - 1} or {dim + 1}");

    public static Diagnostic ExpertsPerGroup(SourceSpan at, long routed, long groups) => Error(DiagnosticCode.ExpertsPerGroup, at,
        $"{routed} routed experts do not divide into {groups} groups: {routed / groups} each would leave {routed % groups} over", null);

    public static Diagnostic GroupsKept(SourceSpan at, long kept, long groups) => Error(DiagnosticCode.GroupsKept, at,
        $"keeps the best {kept} groups of {groups}", null);

    public static Diagnostic ActiveExperts(SourceSpan at, long active, long available, string why) => Error(
        DiagnosticCode.ActiveExperts, at, $"{active} experts are active per token, and only {available} can be chosen: {why}", null);

    public static Diagnostic TwoExpertsPerGroup(SourceSpan at, long perGroup) => Error(DiagnosticCode.TwoExpertsPerGroup, at,
        $"a group counts with the sum of its two best experts, and has only {perGroup}", "use fewer groups, or by: max");

    public static Diagnostic TilePadding(SourceSpan at, bool matters, string what, string share) => new(DiagnosticCode.TilePadding,
        matters ? Severity.Warning : Severity.Info, at, $"{what}; the padding costs {share} of the multiplications per token", null,
        ImmutableArray<DiagnosticNote>.Empty);

    public static Diagnostic ModelTooLarge(SourceSpan at, string what) => Error(DiagnosticCode.ModelTooLarge, at, what, null);

    public static Diagnostic PartKeptTwice(SourceSpan at, string part, string first, string second) => Error(
        DiagnosticCode.PartKeptTwice, at, $"'{part}' is kept in {first} and in {second}", null);

    public static Diagnostic HeadsPerTensor(SourceSpan at, int heads, int tensor, string? hint) => Error(DiagnosticCode.HeadsPerTensor, at,
        $"{heads} heads do not divide among {tensor} tensor-parallel ranks: {heads % tensor} left over", hint);

    public static Diagnostic ExpertsPerRank(SourceSpan at, int experts, int ranks, string? hint) => Error(DiagnosticCode.ExpertsPerRank, at,
        $"{experts} routed experts do not divide among {ranks} expert-parallel ranks: {experts % ranks} left over", hint);

    public static Diagnostic GroupsPerNode(SourceSpan at, int groups, int nodes, int kept, int reached) => Warning(
        DiagnosticCode.GroupsPerNode, at,
        $"{groups} expert groups lie on {nodes} nodes, so a token that is limited to {kept} groups may be sent to {reached} nodes",
        $"let the experts span {groups} nodes, or use groups that match");

    public static Diagnostic StagesPerLayers(SourceSpan at, int stages, int layers, string? hint) => Error(DiagnosticCode.StagesPerLayers, at,
        $"{stages} pipeline stages for {layers} layers: {stages - layers} stages would have none", hint);

    public static Diagnostic OddDualPipe(SourceSpan at, string schedule, int stages, string hint) => Error(DiagnosticCode.OddDualPipe, at,
        schedule == "dualpipe"
            ? $"dualpipe feeds the pipeline from both ends and wants an even number of stages, not {stages}"
            : $"{schedule} puts two stages on a rank and wants an even number of them, not {stages}", hint);

    public static Diagnostic FewMicroBatches(SourceSpan at, bool onlyAtFirst, long microBatches, string schedule, string wanted, string origin, string? hint) => new(
        DiagnosticCode.FewMicroBatches, onlyAtFirst ? Severity.Warning : Severity.Error, at, $"{schedule} wants {wanted}; {origin} gives {microBatches}",
        onlyAtFirst ? "until the batch has grown, steps run under another schedule" : hint, ImmutableArray<DiagnosticNote>.Empty);

    public static Diagnostic GpusPerPlan(SourceSpan at, string message, string? hint) => Error(
        DiagnosticCode.GpusPerPlan, at, message, hint);

    public static Diagnostic TrainMemory(SourceSpan at, bool fits, string message) => fits
        ? Warning(DiagnosticCode.TrainMemory, at, message, null)
        : Error(DiagnosticCode.TrainMemory, at, message,
            "more pipeline or expert ranks, or more sharding (data = zero1 … zero3), spread it further");

    public static Diagnostic ServeMemory(SourceSpan at, bool fits, string message) => fits
        ? Warning(DiagnosticCode.ServeMemory, at, message, null)
        : Error(DiagnosticCode.ServeMemory, at, message, "a larger unit, or more expert ranks, spread it further");

    public static Diagnostic UnitTooLarge(SourceSpan at, int unit, int nodes) => Error(DiagnosticCode.UnitTooLarge, at,
        $"a unit of {unit} nodes does not fit in a cluster of {nodes}", $"use unit = {nodes} nodes or less");

    public static Diagnostic AttentionUnit(SourceSpan at, int tensor, int data, int gpus) => Error(DiagnosticCode.AttentionUnit, at,
        $"attention is spread over tensor {tensor} x data {data} = {tensor * (long)data} GPUs, and the unit has {gpus}",
        gpus % tensor == 0 ? $"use data = {gpus / tensor}" : null);

    public static Diagnostic ExpertUnit(SourceSpan at, string message, string? hint) => Error(DiagnosticCode.ExpertUnit, at, message, hint);

    public static Diagnostic DraftWithoutMtp(SourceSpan at, int draft, string model) => Error(DiagnosticCode.DraftWithoutMtp, at,
        $"speculation with {draft} drafted tokens needs an MTP module, and model '{model}' has none",
        "add mtp { depth = 1 } to the model, or remove speculate");

    public static Diagnostic SequenceBeyondContext(SourceSpan at, long sequence, long context, string model) => Error(
        DiagnosticCode.SequenceBeyondContext, at,
        $"sequences of {Count(sequence)} tokens exceed the context of model '{model}', {Count(context)}", null);

    public static Diagnostic RateCurve(SourceSpan at, string message) => Warning(DiagnosticCode.RateCurve, at, message, null);

    public static Diagnostic Fp8Unsupported(SourceSpan at, string gpu, string target) => Error(DiagnosticCode.Fp8Unsupported, at,
        $"the policy computes in e4m3, and {gpu} ({target}) has no FP8 arithmetic", "use a policy with gemm { format = bf16 }");

    public static Diagnostic PolicyUnsupported(SourceSpan at, string what, string has, string can) => Error(
        DiagnosticCode.PolicyUnsupported, at, $"the policy has {what} {has}, and no kernel computes so", $"inference can do {can}");

    public static Diagnostic Fp8CacheUnsupported(SourceSpan at, string model, string target) => Error(
        DiagnosticCode.Fp8CacheUnsupported, at, $"no kernel keeps the cache of '{model}' in e4m3 on {target}",
        "that takes sm_90a, BF16 activations, kv_rank = 512, rope_dim = 64 and a nope_dim of whole eights; serve with kv_cache { format = bf16 } otherwise");

    public static Diagnostic PassRefused(SourceSpan at, string message, string remedy) => Error(
        DiagnosticCode.PassRefused, at, message, remedy);

    public static Diagnostic PlanLimit(SourceSpan at, string limit, long value, string range) => Error(DiagnosticCode.PlanLimit, at,
        $"a plan with {limit} = {Count(value)}; it must be {range}", null);

    public static Diagnostic AdaptersPerPlane(SourceSpan at, int nics, int planes) => Error(DiagnosticCode.AdaptersPerPlane, at,
        $"the nodes have {nics} network adapters, and the network has {planes} planes for them",
        nics == 0 ? "give the node its adapters, as in nics = 8, nic = 50 GB/s" : $"use as many planes as adapters: {nics}");

    public static Diagnostic NetworkTooSmall(SourceSpan at, string network, long endpoints, int nodes, int nics) => Error(
        DiagnosticCode.NetworkTooSmall, at,
        $"{Count(nodes)} nodes with {nics} adapters are {Count((long)nodes * nics)} endpoints, and this {network} has {Count(endpoints)}",
        $"use switches with more ports, or at most {Count(endpoints / nics)} nodes");

    public static Diagnostic MicroBatchesPerSchedule(SourceSpan at, string message, string? hint) => Error(
        DiagnosticCode.MicroBatchesPerSchedule, at, message, hint);

    public static Diagnostic BatchPerRank(SourceSpan at, int batch, long ranks, int size, string? hint) => Error(DiagnosticCode.BatchPerRank, at,
        $"a batch of {batch} sequences does not divide among {ranks} data-parallel ranks{(size == 1 ? "" : $" in micro-batches of {size}")}: {batch % (ranks * size)} left over", hint);

    public static Diagnostic CommunicationSms(SourceSpan at, int sms, int available, string gpu) => Error(DiagnosticCode.CommunicationSms, at,
        $"{sms} multiprocessors for communication leave none of the {available} of {gpu} to compute", $"use fewer than {available}; 20 were published for 132");

    public static Diagnostic StepTooLong(SourceSpan at, long microBatches, int stages, long most) => Error(DiagnosticCode.StepTooLong, at,
        $"a step of {Count(microBatches)} micro-batches on {stages} stages is longer than can be planned", $"use at most {Count(most)} micro-batches");

    public static Diagnostic NoAdapters(SourceSpan at, string cluster, int nodes) => Error(DiagnosticCode.NoAdapters, at,
        $"the {Count(nodes)} nodes of {cluster} have no network adapters, and a run needs all of them", "say nics = 8, nic = 50 GB/s in the node");

    public static Diagnostic NotJson(SourceSpan at, string problem) => Error(
        DiagnosticCode.NotJson, at, problem, "the importer reads a Hugging Face config.json");

    public static Diagnostic ConfigMissingKey(SourceSpan at, string key) => Error(
        DiagnosticCode.ConfigMissingKey, at, $"the configuration has no '{key}'", null);

    public static Diagnostic ConfigWrongType(SourceSpan at, string key, string wanted) => Error(
        DiagnosticCode.ConfigWrongType, at, $"'{key}' must be {wanted}", null);

    public static Diagnostic ConfigUnsupported(SourceSpan at, string key, string value, string supported) => Error(
        DiagnosticCode.ConfigUnsupported, at, $"'{key}' is {value}, which is not supported", supported);

    public static Diagnostic ConfigIgnored(SourceSpan at, string key, string why) => new(DiagnosticCode.ConfigIgnored, Severity.Warning, at,
        $"'{key}' has no counterpart: {why}", null, ImmutableArray<DiagnosticNote>.Empty);

    /// <summary>A whole number with thousands set apart: <c>163 840</c>; in messages only.</summary>
    public static string Count(long value) => value.ToString("#,0", CultureInfo.InvariantCulture).Replace(',', ' ');

    private static string Printable(char character) =>
        char.IsControl(character) || char.IsSurrogate(character) ? $"U+{(int)character:X4}" : character.ToString();

    private static Diagnostic Error(DiagnosticCode code, SourceSpan at, string message, string? hint) =>
        new(code, Severity.Error, at, Cut(message), hint is null ? null : Cut(hint), ImmutableArray<DiagnosticNote>.Empty);

    private static Diagnostic Warning(DiagnosticCode code, SourceSpan at, string message, string? hint) =>
        new(code, Severity.Warning, at, Cut(message), hint is null ? null : Cut(hint), ImmutableArray<DiagnosticNote>.Empty);

    /// <summary>A name may be as long as its file, and nobody reads a message that quotes it in full.</summary>
    private static string Cut(string text) =>
        text.Length <= LongestText ? text : text.Substring(0, char.IsHighSurrogate(text[LongestText - 1]) ? LongestText - 1 : LongestText) + "…";
}
