using System.Globalization;
using System.Runtime.InteropServices;
using ModelDsl.Cli;
using ModelDsl.Cli.Output;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
// Ctrl-C and kill end the process, but not in the middle of a file: what is being written is finished or taken back.
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => End(signal, 130));
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => End(signal, 143));
return DsmcCommand.Run(args, IoContext.OfProcess());

static void End(PosixSignalContext signal, int exitCode)
{
    signal.Cancel = true;
    OutputFolder.Finish();
    Environment.Exit(exitCode);
}
