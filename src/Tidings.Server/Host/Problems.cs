using Microsoft.AspNetCore.Http.HttpResults;

namespace Tidings.Server.Host;

/// <summary>Answers that say what is wrong: RFC 9457 problem details with a stable <c>code</c>.</summary>
internal static class Problems
{
    /// <summary>A problem with a code that clients may switch on.</summary>
    public static ProblemHttpResult Problem(int status, string code, string detail) =>
        TypedResults.Problem(detail, statusCode: status, extensions: [new("code", code)]);

    /// <summary>A field that is not as it should be: 400 <c>invalid</c>, with the field's name under <c>errors</c>.</summary>
    public static ProblemHttpResult Invalid(string field, string message) => Invalid(new Dictionary<string, string[]> { [field] = [message] });

    /// <summary>Fields that are not as they should be: 400 <c>invalid</c>, with their names under <c>errors</c>.</summary>
    public static ProblemHttpResult Invalid(IDictionary<string, string[]> errors) =>
        TypedResults.Problem("Some fields are not valid.", statusCode: 400, extensions: [new("code", "invalid"), new("errors", errors)]);

    /// <summary>404 <c>not_found</c>: it is not there, or not for this reader; which of the two is not told.</summary>
    public static ProblemHttpResult NotFound(string what) => Problem(404, "not_found", $"There is no such {what}.");
}
