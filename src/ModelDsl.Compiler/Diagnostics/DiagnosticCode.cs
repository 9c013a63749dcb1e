namespace ModelDsl.Compiler.Diagnostics;

/// <summary>
/// Every message of the front end has one of these. Numbers are never reused: what a code meant once, it means for good.
/// 00xx the text, 01xx names, 02xx values, 03xx the model, 04xx the plan, 05xx import.
/// </summary>
public enum DiagnosticCode
{
    FileTooLarge = 1,
    InvalidUtf8 = 2,
    NulCharacter = 3,
    UnknownCharacter = 4,
    OpenString = 5,
    OpenComment = 6,
    TooDeep = 7,
    OpenBrace = 8,
    ExtraBrace = 9,
    Unexpected = 10,
    MissingValue = 11,
    MissingComma = 12,
    BadNumber = 13,
    TooManyErrors = 14,
    OpenBracket = 15,

    UnknownDeclaration = 101,
    DuplicateDeclaration = 102,
    UnknownBase = 103,
    CyclicBase = 104,
    BaseOfOtherKind = 105,
    ImportNotFound = 106,
    CyclicImport = 107,
    UnknownEntry = 108,
    DuplicateEntry = 109,
    MissingAttribute = 110,
    MissingBlock = 111,
    WrongForm = 112,
    UnknownReference = 113,
    UnknownWord = 114,
    WrongLabel = 115,
    MissingLabel = 116,
    BadSetPath = 117,
    SetTargetNotFound = 118,
    NeedsBase = 119,
    CyclicParameter = 120,
    UnknownParameter = 121,
    ChainTooLong = 122,
    DeviceName = 123,

    UnknownUnit = 201,
    WrongDimension = 202,
    OperatorDimension = 203,
    WrongType = 204,
    OutOfRange = 205,
    NotWhole = 206,
    DivisionByZero = 207,
    UnknownArgument = 208,
    MissingArgument = 209,
    DuplicateArgument = 210,
    NumberTooLarge = 211,

    LayersOverlap = 301,
    LayersGap = 302,
    LayersReversed = 303,
    FeedForwardCount = 304,
    OddRopeDim = 305,
    ExpertsPerGroup = 306,
    GroupsKept = 307,
    ActiveExperts = 308,
    TilePadding = 309,
    ModelTooLarge = 310,
    PartKeptTwice = 311,
    TwoExpertsPerGroup = 312,

    HeadsPerTensor = 401,
    ExpertsPerRank = 402,
    GroupsPerNode = 403,
    StagesPerLayers = 404,
    OddDualPipe = 405,
    FewMicroBatches = 406,
    GpusPerPlan = 407,
    TrainMemory = 408,
    ServeMemory = 409,
    UnitTooLarge = 410,
    AttentionUnit = 411,
    ExpertUnit = 412,
    DraftWithoutMtp = 413,
    SequenceBeyondContext = 414,
    RateCurve = 415,
    Fp8Unsupported = 416,
    PolicyUnsupported = 417,
    PassRefused = 418,
    PlanLimit = 419,
    AdaptersPerPlane = 420,
    NetworkTooSmall = 421,
    MicroBatchesPerSchedule = 422,
    BatchPerRank = 423,
    CommunicationSms = 424,
    StepTooLong = 425,
    NoAdapters = 426,
    Fp8CacheUnsupported = 427,

    NotJson = 501,
    ConfigMissingKey = 502,
    ConfigWrongType = 503,
    ConfigUnsupported = 504,
    ConfigIgnored = 505,
}

public static class DiagnosticCodes
{
    public static string Id(this DiagnosticCode code) => $"DSM{(int)code:0000}";

    /// <summary>The code behind <c>DSM0107</c>; case does not matter.</summary>
    public static bool TryParse(string id, out DiagnosticCode code)
    {
        code = default;
        if (id.Length != 7 || !id.StartsWith("DSM", StringComparison.OrdinalIgnoreCase)
            || !int.TryParse(id.Substring(3), out var number)) return false;
        code = (DiagnosticCode)number;
        return Enum.IsDefined(typeof(DiagnosticCode), code);
    }
}
