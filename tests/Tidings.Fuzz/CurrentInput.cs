using System.IO.MemoryMappedFiles;

namespace Tidings.Fuzz;

/// <summary>The input that is being parsed, in memory that outlives the process: what ended it can be read afterwards.</summary>
internal sealed class CurrentInput : IDisposable
{
    private const int Size = 512 * 1024;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;

    public CurrentInput(string path)
    {
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.OpenOrCreate, null, Size);
        _view = _file.CreateViewAccessor();
    }

    public void Set(byte[] input)
    {
        var length = Math.Min(input.Length, Size - sizeof(int));
        _view.Write(0, length);
        _view.WriteArray(sizeof(int), input, 0, length);
    }

    public byte[] Get()
    {
        var input = new byte[_view.ReadInt32(0)];
        _view.ReadArray(sizeof(int), input, 0, input.Length);
        return input;
    }

    public void Dispose()
    {
        _view.Dispose();
        _file.Dispose();
    }
}
