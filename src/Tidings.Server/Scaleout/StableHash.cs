namespace Tidings.Server.Scaleout;

/// <summary>A hash that is the same in every process and every version: FNV-1a.</summary>
internal static class StableHash
{
    public static uint Of(string text)
    {
        var hash = 2_166_136_261u;
        foreach (var character in text) hash = (hash ^ character) * 16_777_619u;
        return hash ^ (hash >> 16);
    }
}
