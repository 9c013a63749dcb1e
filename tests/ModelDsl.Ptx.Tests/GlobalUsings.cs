global using ModelDsl.Ptx.Memory;
global using ModelDsl.Ptx.Targets;
global using ModelDsl.Ptx.Values;
