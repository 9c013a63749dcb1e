using System.Globalization;
using ModelDsl.Cli;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
return DsmcCommand.Run(args, IoContext.OfProcess());
