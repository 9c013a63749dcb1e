using System.CommandLine;
using ModelDsl.Conformance;
using ModelDsl.Runtime.Cuda;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu;

var device = new Option<string>("--device") { Description = "virtual, cuda, or both, compared bit for bit.", DefaultValueFactory = _ => "virtual" };
device.AcceptOnlyFromAmong("virtual", "cuda", "both");
var filter = new Option<string>("--filter") { Description = "Only forms that contain this text.", DefaultValueFactory = _ => "" };
var command = new RootCommand("Runs one micro-kernel per PTX instruction form and says how a device does on it.") { device, filter };
command.SetAction(parse =>
{
    var devices = new List<IDevice>();
    try
    {
        var kind = parse.GetValue(device);
        if (kind is "virtual" or "both") devices.Add(new VirtualDevice());
        if (kind is "cuda" or "both") devices.Add(CudaDevice.Open());
        var rows = Table.Rows.Where(row => row.Name.Contains(parse.GetValue(filter)!, StringComparison.OrdinalIgnoreCase));
        return Report.Print(Console.Out, devices, rows);
    }
    catch (DeviceException trouble)
    {
        Console.Error.WriteLine(trouble.Message);
        return 1;
    }
    finally
    {
        foreach (var open in devices) open.Dispose();
    }
});
return command.Parse(args).Invoke();
