using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Tidings.Server.Host;

/// <summary>The query parameter <c>limit</c> of a page.</summary>
internal static class PageLimit
{
    public static bool TryParse(string? text, int absent, int most, out int limit)
    {
        limit = absent;
        return string.IsNullOrEmpty(text)
            || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) && limit >= 1 && limit <= most);
    }

    public static ProblemHttpResult Refusal(int most) => Problems.Invalid("limit", $"This must be a number from 1 to {most}.");
}
