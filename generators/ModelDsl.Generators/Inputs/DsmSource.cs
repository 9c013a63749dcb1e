using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace ModelDsl.Generators.Inputs;

/// <summary>A <c>.dsm</c> file as the compiler host hands it over; equal when its text and options are.</summary>
internal sealed record DsmSource(string Path, string Text, DsmOptions Options)
{
    public static DsmSource Read(AdditionalText file, AnalyzerConfigOptionsProvider options, CancellationToken cancellation) =>
        new(file.Path, file.GetText(cancellation)?.ToString() ?? "", DsmOptions.Read(options.GetOptions(file), options.GlobalOptions));
}
