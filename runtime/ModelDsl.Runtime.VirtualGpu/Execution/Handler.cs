global using unsafe Handler = delegate*<ModelDsl.Runtime.VirtualGpu.Execution.Warp*, ModelDsl.Runtime.VirtualGpu.Execution.Instr*, uint, ModelDsl.Runtime.VirtualGpu.Execution.Instr*>;
