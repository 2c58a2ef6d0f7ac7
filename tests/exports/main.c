/*
 * Exported rules as a command that speaks JSON lines, as docs/subjects.md says: for tests. It knows no rule: the table
 * `entries` lists those it was compiled with, and its argument chooses one.
 */
#include <stdio.h>

struct numbers {
    double *values;
    size_t count, rows;
};

/* Read a number, or nested lists of numbers, one after another. */
static const char *read_numbers(const char *at, struct numbers *into) {
    size_t depth = 0;
    into->count = into->rows = 0;
    into->values = malloc((strlen(at) + 1) * sizeof(double));
    for (;; at++) {
        if (*at == '[') {
            if (depth++ == 1) into->rows++;
        } else if (*at == ']') {
            if (--depth == 0) return at + 1;
        } else if (*at == '"') {
            const char *names[] = {"\"nan\"", "\"inf\"", "\"-inf\""};
            const double meant[] = {NAN, INFINITY, -INFINITY};
            for (int i = 0; i < 3; i++)
                if (strncmp(at, names[i], strlen(names[i])) == 0) {
                    into->values[into->count++] = meant[i];
                    at += strlen(names[i]) - 1;
                    break;
                }
        } else if (*at == '-' || (*at >= '0' && *at <= '9')) {
            char *end;
            into->values[into->count++] = strtod(at, &end);
            at = end - 1;
            if (depth == 0) return end;
        }
    }
}

static void write_number(double value) {
    if (isnan(value)) printf("\"nan\"");
    else if (isinf(value)) printf(value > 0 ? "\"inf\"" : "\"-inf\"");
    else printf("%.17g", value);
}

static char *read_line(void) {
    size_t length = 0, room = 1 << 16;
    char *line = malloc(room);
    for (int c = getchar(); c != EOF && c != '\n'; c = getchar()) {
        if (length + 2 > room) line = realloc(line, room *= 2);
        line[length++] = (char)c;
    }
    line[length] = 0;
    return line;
}

static void answer(const struct entry *entry, const char *line) {
    struct numbers gradients, start, knob;
    double knobs[64];
    read_numbers(strstr(line, "\"gradients\"") + 12, &gradients);
    read_numbers(strstr(line, "\"start\"") + 8, &start);
    for (int i = 0; i < entry->count; i++) {
        char key[80];
        snprintf(key, sizeof key, "\"%s\":", entry->knobs[i]);
        const char *told = strstr(strstr(line, "\"knobs\""), key);
        knobs[i] = NAN;
        if (told != NULL) {
            read_numbers(told + strlen(key), &knob);
            knobs[i] = knob.values[0];
            free(knob.values);
        }
    }
    const size_t steps = gradients.rows ? gradients.rows : gradients.count;
    const size_t n = steps ? gradients.count / steps : 0;
    double *x = malloc(n * sizeof *x), *out = malloc((gradients.count + 1) * sizeof *out);
    for (size_t i = 0; i < n; i++) x[i] = start.values[start.count == 1 ? 0 : i];
    entry->run(knobs, steps, n, gradients.values, gradients.values, x, out, 0.0);
    printf("{\"parameters\": [");
    for (size_t i = 0; i < gradients.count; i++) {
        printf(i == 0 ? "" : gradients.rows && i % n == 0 ? "], " : ", ");
        if (gradients.rows && i % n == 0) printf("[");
        write_number(out[i]);
    }
    printf(gradients.rows ? "]]}\n" : "]}\n");
    fflush(stdout);
    free(x), free(out), free(gradients.values), free(start.values);
}

int main(int count, char **arguments) {
    for (const struct entry *entry = entries; count == 2 && entry->name != NULL; entry++) {
        if (strcmp(entry->name, arguments[1]) != 0) continue;
        for (char *line = read_line(); *line != 0; line = read_line()) {
            answer(entry, line);
            free(line);
        }
        return 0;
    }
    fprintf(stderr, "give one of the rules\n");
    return 1;
}
